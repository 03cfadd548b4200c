//! The one-line changes that a file's syntax tree offers.

use std::ops::Range;
use syn::spanned::Spanned as _;
use syn::visit::{self, Visit};
use syn::{BinOp, Expr, Lit, ReturnType, Stmt, Type, UnOp};

/// One possible change: the code in `range` is replaced by `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The bytes of the file that are replaced.
    pub range: Range<usize>,
    /// What replaces them.
    pub text: String,
    /// How the change is inserted.
    pub form: Form,
    /// The function that contains it.
    pub function: String,
    /// The line, from 1.
    pub line: usize,
}

/// How a change is inserted into the code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An expression that chooses between the changed and the original one.
    Expression,
    /// A statement at the head of a function's body; its range is empty.
    Entry,
    /// A statement that is skipped.
    Statement,
}

/// Lists the changes of a file, in the order of the text. Tests, constants, patterns and macros offer none.
pub fn of(source: &str) -> syn::Result<Vec<Candidate>> {
    let file = syn::parse_file(source)?;
    let mut finder = Finder { source, function: Vec::new(), found: Vec::new() };
    finder.visit_file(&file);
    finder.found.sort_by_key(|candidate| (candidate.range.start, candidate.range.end, candidate.text.clone()));
    Ok(finder.found)
}

struct Finder<'a> {
    source: &'a str,
    function: Vec<String>,
    found: Vec<Candidate>,
}

impl Finder<'_> {
    fn text(&self, part: &impl syn::spanned::Spanned) -> &str {
        self.source.get(part.span().byte_range()).unwrap_or_default()
    }

    fn add(&mut self, range: Range<usize>, line: usize, text: String, form: Form) {
        let function = self.function.join("::");
        self.found.push(Candidate { range, text, form, function, line });
    }

    fn replace(&mut self, expr: &Expr, text: String) {
        self.add(expr.span().byte_range(), expr.span().start().line, text, Form::Expression);
    }

    fn body(&mut self, name: String, output: &ReturnType, block: &syn::Block) {
        self.function.push(name);
        let at = block.brace_token.span.open().byte_range().end;
        let line = block.brace_token.span.open().start().line;
        if block.stmts.len() > 1 || !matches!(block.stmts.first(), Some(Stmt::Expr(Expr::Lit(_) | Expr::Path(_), None)))
        {
            for value in replacements(output, self.source) {
                self.add(at..at, line, format!("return {value};"), Form::Entry);
            }
        }
        visit::visit_block(self, block);
        self.function.pop();
    }

    fn has_let(expr: &Expr) -> bool {
        struct Let(bool);
        impl<'a> Visit<'a> for Let {
            fn visit_expr_let(&mut self, _: &'a syn::ExprLet) {
                self.0 = true;
            }
            fn visit_expr_closure(&mut self, _: &'a syn::ExprClosure) {}
            fn visit_block(&mut self, _: &'a syn::Block) {}
        }
        let mut finder = Let(false);
        finder.visit_expr(expr);
        finder.0
    }

    fn binary(&mut self, binary: &syn::ExprBinary) {
        let others: &[&str] = match binary.op {
            BinOp::Eq(_) => &["!="],
            BinOp::Ne(_) => &["=="],
            BinOp::Lt(_) => &["<=", ">"],
            BinOp::Le(_) => &["<", ">"],
            BinOp::Gt(_) => &[">=", "<"],
            BinOp::Ge(_) => &[">", "<"],
            BinOp::And(_) => &["||"],
            BinOp::Or(_) => &["&&"],
            BinOp::Add(_) => &["-"],
            BinOp::Sub(_) => &["+"],
            BinOp::Mul(_) => &["/"],
            BinOp::Div(_) | BinOp::Rem(_) => &["*"],
            _ => &[],
        };
        for other in others {
            let text = format!("({}) {other} ({})", self.text(&binary.left), self.text(&binary.right));
            self.replace(&Expr::Binary(binary.clone()), text);
        }
    }

    fn method(&mut self, call: &syn::ExprMethodCall) {
        let name = call.method.to_string();
        let other = match name.as_str() {
            "any" => "all",
            "all" => "any",
            "is_some" => "is_none",
            "is_none" => "is_some",
            "is_ok" => "is_err",
            "is_err" => "is_ok",
            "first" => "last",
            "last" => "first",
            "min" => "max",
            "max" => "min",
            "starts_with" => "ends_with",
            "ends_with" => "starts_with",
            "filter" | "skip_while" => "take_while",
            "saturating_sub" => "saturating_add",
            "saturating_add" => "saturating_sub",
            "is_lt" => "is_le",
            "is_gt" => "is_ge",
            _ => "",
        };
        if !other.is_empty() {
            let range = call.span().byte_range();
            let method = call.method.span().byte_range();
            let source = self.source;
            let (Some(head), Some(tail)) = (source.get(range.start..method.start), source.get(method.end..range.end))
            else {
                return;
            };
            self.add(range, call.method.span().start().line, format!("{head}{other}{tail}"), Form::Expression);
        }
        let unchanged = ["rev", "trim", "trim_start", "trim_end", "to_ascii_lowercase", "to_ascii_uppercase"];
        if unchanged.contains(&name.as_str()) && call.args.is_empty() {
            let text = self.text(&call.receiver).to_owned();
            self.replace(&Expr::MethodCall(call.clone()), text);
        }
    }
}

/// What a function of this type could return instead.
fn replacements(output: &ReturnType, source: &str) -> Vec<String> {
    let ReturnType::Type(_, kind) = output else { return vec![String::new()] };
    let text: String = source.get(kind.span().byte_range()).unwrap_or_default().split_whitespace().collect();
    let inner = |of: &str| text.strip_prefix(of).and_then(|rest| rest.strip_suffix('>')).map(str::to_owned);
    let plain = |text: &str| -> Vec<&str> {
        match text {
            "bool" => vec!["true", "false"],
            "()" => vec!["()"],
            "String" => vec!["String::new()"],
            "usize" | "u64" | "u32" | "i64" | "u128" | "i128" | "u8" => vec!["0", "1"],
            "&str" | "&'staticstr" => vec!["\"\""],
            text if text.starts_with("Vec<") => vec!["Vec::new()"],
            text if text.starts_with("BTreeSet<") || text.starts_with("BTreeMap<") => vec!["Default::default()"],
            text if text.starts_with("Option<") => vec!["None"],
            _ => vec![],
        }
    };
    if matches!(**kind, Type::ImplTrait(_)) {
        return Vec::new();
    }
    let wrapped = inner("Result<").map(|inner| inner.split_once(',').map_or(inner.clone(), |(ok, _)| ok.to_owned()));
    match wrapped {
        // A type with a comma of its own is cut wrongly, fits nothing, and gives no change.
        Some(ok) => plain(&ok).into_iter().map(|value| format!("Ok({value})")).collect(),
        None => plain(&text).into_iter().map(str::to_owned).collect(),
    }
}

fn is_test(attributes: &[syn::Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        attribute.path().is_ident("test")
            || attribute.path().is_ident("cfg")
                && attribute.meta.require_list().is_ok_and(|list| {
                    let tokens = list.tokens.to_string();
                    // Code for other systems is not built here.
                    tokens.contains("test") || tokens.contains("not (unix)") || tokens.contains("windows")
                })
    })
}

impl<'a> Visit<'a> for Finder<'_> {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_fn(&mut self, item: &'a syn::ItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            self.body(item.sig.ident.to_string(), &item.sig.output, &item.block);
        }
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        if is_test(&item.attrs) {
            return;
        }
        let of = self.text(&*item.self_ty).split('<').next().unwrap_or_default().to_owned();
        self.function.push(of);
        // How a value prints itself is checked where it is printed.
        let shown =
            item.trait_.as_ref().and_then(|(_, path, _)| path.segments.last()).map(|last| last.ident.to_string());
        if !matches!(shown.as_deref(), Some("Debug" | "Display" | "Error")) {
            visit::visit_item_impl(self, item);
        }
        self.function.pop();
    }

    fn visit_impl_item_fn(&mut self, item: &'a syn::ImplItemFn) {
        if item.sig.constness.is_none() && !is_test(&item.attrs) {
            self.body(item.sig.ident.to_string(), &item.sig.output, &item.block);
        }
    }

    fn visit_trait_item_fn(&mut self, item: &'a syn::TraitItemFn) {
        if let Some(block) = &item.default {
            self.body(item.sig.ident.to_string(), &item.sig.output, block);
        }
    }

    fn visit_item_const(&mut self, _: &'a syn::ItemConst) {}
    fn visit_item_static(&mut self, _: &'a syn::ItemStatic) {}
    fn visit_impl_item_const(&mut self, _: &'a syn::ImplItemConst) {}
    fn visit_pat(&mut self, _: &'a syn::Pat) {}
    fn visit_type(&mut self, _: &'a Type) {}
    fn visit_attribute(&mut self, _: &'a syn::Attribute) {}

    fn visit_expr_repeat(&mut self, repeat: &'a syn::ExprRepeat) {
        self.visit_expr(&repeat.expr);
    }

    fn visit_stmt(&mut self, statement: &'a Stmt) {
        if let Stmt::Expr(expr @ (Expr::MethodCall(_) | Expr::Call(_) | Expr::Assign(_) | Expr::Binary(_)), Some(_)) =
            statement
        {
            let range = statement.span().byte_range();
            self.add(range, expr.span().start().line, String::new(), Form::Statement);
        }
        visit::visit_stmt(self, statement);
    }

    fn visit_expr(&mut self, expr: &'a Expr) {
        match expr {
            Expr::Binary(binary) if !Self::has_let(expr) => self.binary(binary),
            Expr::Unary(unary) if matches!(unary.op, UnOp::Not(_)) => {
                let text = self.text(&*unary.expr).to_owned();
                self.replace(expr, text);
            }
            Expr::MethodCall(call) => self.method(call),
            Expr::Lit(literal) => match &literal.lit {
                Lit::Bool(value) => self.replace(expr, (!value.value).to_string()),
                Lit::Int(value) => {
                    if let Ok(number) = value.base10_parse::<u64>() {
                        let text = format!("{}{}", number.saturating_add(1), value.suffix());
                        self.replace(expr, text);
                    }
                }
                _ => {}
            },
            Expr::Range(range) => {
                if let (syn::RangeLimits::HalfOpen(_), Some(end)) = (&range.limits, &range.end) {
                    let start = range.start.as_ref().map_or("", |start| self.text(&**start));
                    let text = format!("{start}..({}) + 1", self.text(&**end));
                    self.replace(expr, text);
                }
            }
            Expr::If(choice) if !Self::has_let(&choice.cond) => {
                for value in ["true", "false"] {
                    self.replace(&choice.cond, value.to_owned());
                }
            }
            _ => {}
        }
        visit::visit_expr(self, expr);
    }

    fn visit_arm(&mut self, arm: &'a syn::Arm) {
        if let Some((_, guard)) = &arm.guard
            && !Self::has_let(guard)
        {
            for value in ["true", "false"] {
                self.replace(guard, value.to_owned());
            }
        }
        visit::visit_arm(self, arm);
    }
}
