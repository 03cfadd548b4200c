//! `headwater feed append`: one more post, if the rules of the feed allow it.

use super::args::{AppendArgs, Word};
use super::gather::{Gathered, fetch, gather};
use super::namespace_of;
use super::number::{self, Number};
use crate::cli::clock;
use crate::cli::context::{Context, Ledger};
use crate::cli::error::{CliError, Exit};
use crate::cli::id::Desk;
use crate::cli::progress::asking_log;
use crate::cli::record;
use crate::cli::secrets::Masker;
use crate::config::Namespace;
use crate::event::encode::file_stem;
use crate::event::normal::MAX_BYTES;
use crate::event::{EventId, IdPrefix, Span, Timestamp};
use crate::feed::codec::{Draft, text_of};
use crate::feed::{Board, FAR_AHEAD, Feed, Filing, Kind, Post, Refusal, Says, Stage, Verdict, is_item, item_key};
use crate::ids::Allocator;
use crate::ids::fold::Book;
use crate::ids::reserve::{Asking, Wish};
use crate::ids::sources::Numbers;
use crate::ledger::escape::safe_for_terminal;
use crate::secrets::{Certainty, mask};
use crate::store::{create_event, ensure_readme, make_folder, with_lock_file};
use serde_json::json;
use std::io::Read as _;

/// What the id is put for.
const MARK: &str = "{{ITEM_ID}}";

/// The most posts that a post names as seen.
const MAX_PARENTS: usize = 1_000;

/// What a post is going to be, or why it is not written.
enum Plan {
    Write(Says),
    /// It is refused: why, and what to do.
    Refuse(String),
}

/// A post, its text, and the queue with it.
struct Candidate {
    text: String,
    post: Post,
    after: Board,
}

pub(super) fn run(context: &Context<'_>, ledger: &Ledger, args: &AppendArgs) -> Result<Exit, CliError> {
    check(args)?;
    let body = match args.body.as_deref() {
        Some("-") => read_stdin()?,
        body => body.unwrap_or_default().to_owned(),
    };
    let mut masker = Masker::new(args.keep_secrets);
    let body = masker.text("--body", body, Certainty::Certain).into_owned();
    let subject = masker.text("--subject", args.subject.as_str(), Certainty::Certain).into_owned();
    masker.report(context.console);
    let args = &AppendArgs { subject, ..args.clone() };
    ensure_readme(&ledger.dir)?;
    let desk = Desk::new(context);
    let asking = desk.asking(args.agent.as_ref())?;
    if args.kind == Word::Confirm && !args.no_fetch && !fetch(context)? {
        return Err(CliError::CannotTell(
            "what others posted could not be looked at, so nothing is confirmed: it stays CONFIRM-PENDING; try again, or say `--no-fetch`"
                .to_owned(),
        ));
    }
    let lock = match &context.layout {
        Some(layout) => {
            make_folder(&layout.own_dir())?;
            layout.own_dir().join("feed.lock")
        }
        None => ledger.dir.lock_file(),
    };
    let mut scribe = Scribe {
        context,
        ledger,
        args,
        allocator: desk.allocator(!args.no_fetch),
        asking,
        number: None,
        unasked: None,
    };
    // Logs and remotes are asked before the lock is taken, so that nobody waits for somebody's network.
    if let Some(why) = scribe.prepare(&body)? {
        return Ok(scribe.refuse(&why));
    }
    // Work trees of a clone post one after the other, so that who claims second sees the first.
    context.with_lock_request("feed append", |request| with_lock_file(&lock, &request, |_| scribe.append(&body)))
}

/// What does not go together.
fn check(args: &AppendArgs) -> Result<(), CliError> {
    let usage = |text: &str| Err(CliError::Usage(text.to_owned()));
    let (is_new, amends) = (args.kind == Word::Actionable, args.kind == Word::Amend);
    if args.reserve.is_some() && !is_new && !amends {
        return usage("--reserve is for `--kind actionable` and `--kind amend`");
    }
    if args.reserve.is_some() && is_new && args.item.is_some() {
        return usage("--reserve gives a new item its id; leave `--item` out");
    }
    if is_new && args.item.is_none() && args.reserve.is_none() {
        return usage("an actionable post needs a number: `--reserve NAMESPACE`, or `--item ID` where no log keeps it");
    }
    if args.kind == Word::Repair && args.item.is_none() && args.of.is_none() {
        return usage("which item? name it with `--item ID`; a post that is void is named with `--of POST` alone");
    }
    if !is_new && !matches!(args.kind, Word::Note | Word::Repair) && args.item.is_none() {
        return usage("which item? name it with `--item ID`");
    }
    if amends && args.to.is_none() && args.reserve.is_none() {
        return usage("an amendment needs a new id: `--reserve NAMESPACE`, or `--to ID` where no log keeps such ids");
    }
    if args.to.is_some() && !amends {
        return usage("--to is for `--kind amend`");
    }
    if args.proof.is_some() && !is_new {
        return usage("--proof is for `--kind actionable`");
    }
    if args.subject.trim().is_empty() {
        return usage("--subject: say what it is about");
    }
    if let Some(item) = args.item.iter().chain(&args.to).find(|item| !is_item(item)) {
        return usage(&format!(
            "`{}` is no id: letters, digits, `-`, `_`, `.` and `#`, with a digit",
            item.escape_debug()
        ));
    }
    Ok(())
}

fn read_stdin() -> Result<String, CliError> {
    let mut bytes = Vec::new();
    std::io::stdin().take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(CliError::Input)?;
    String::from_utf8(bytes).map_err(|_not_utf8| CliError::Usage("standard input is not UTF-8".to_owned()))
}

/// Who writes one post, where.
struct Scribe<'a> {
    context: &'a Context<'a>,
    ledger: &'a Ledger,
    args: &'a AppendArgs,
    allocator: Allocator<'a>,
    asking: Asking,
    /// The number that was reserved for it.
    number: Option<Number>,
    /// Why the shared log could not be asked about the number that is named.
    unasked: Option<String>,
}

impl Scribe<'_> {
    /// Reserves the number that is asked for, asks about one that is named, and brings a provisional one into its
    /// log; or says why the post is going to be refused, before anything is reserved.
    fn prepare(&mut self, body: &str) -> Result<Option<String>, CliError> {
        let named = match self.args.kind {
            Word::Actionable => self.args.item.as_deref(),
            Word::Amend => self.args.to.as_deref(),
            Word::Claim | Word::Done | Word::Note | Word::Release | Word::Repair | Word::Confirm => None,
        };
        if self.args.reserve.is_none() && self.args.kind != Word::Confirm && named.is_none() {
            return Ok(None);
        }
        let gathered = gather(self.context, self.ledger)?;
        if let Some(item) = named {
            if Board::of(&gathered.feed).find(item).is_none() {
                self.unasked = number::look_for(self.context, &self.allocator, item, self.args.no_fetch)?;
            }
            return Ok(None);
        }
        let board = Board::of(&gathered.feed);
        if let Some(name) = &self.args.reserve {
            let said = self.said(&gathered, &board, &self.allocator.namespace(name)?.name);
            // As long as an id can be, so that what is too long is too long now.
            let any = || Number::new(format!("{:0<64}", "NUMBER-"), Some(String::new()), false);
            self.number = Some(said.clone().unwrap_or_else(any));
            match self.plan(&gathered, &board)? {
                Plan::Refuse(why) => return Ok(Some(why)),
                Plan::Write(says) => {
                    let Candidate { post, after, .. } = self.chosen(&gathered, &board, &self.worded(says, body))?.0;
                    if let Some(Verdict::Refused(refusal)) = after.verdict(&post.stamp.id) {
                        return Ok(Some(refused(&post, refusal, &board)));
                    }
                }
            }
            if said.is_none() {
                self.number = Some(self.reserve(&gathered, name)?);
            }
            return Ok(None);
        }
        if let Some(filing) = self.meant(&gathered, &board)?
            && filing.holding.is_pending()
            && filing.holding.reserved.is_some()
        {
            let item = &filing.holding.item;
            let Some(namespace) = namespace_of(self.context, item) else { return Ok(None) };
            let sync = || self.allocator.sync(namespace, &self.asking, Some(std::slice::from_ref(item)));
            asking_log(self.context, namespace, sync)?;
        }
        Ok(None)
    }

    /// The number that a post with the same durable key took in a namespace.
    fn said(&self, gathered: &Gathered, board: &Board, namespace: &str) -> Option<Number> {
        let (key, kind) = (self.args.event.as_ref()?, self.args.kind.kind());
        let item = self.args.item.as_deref().map(item_key);
        gathered.feed.in_order().into_iter().find_map(|post| {
            let says = &post.says;
            let named = item.is_none() || item == says.item.as_deref().map(item_key);
            let taken = says.to.as_ref().or(says.item.as_ref())?;
            let same =
                says.kind == kind && says.key.as_ref() == Some(key) && named && board.about(&post.stamp.id).is_some();
            let number = || Number::new(taken.clone(), says.reserved.clone(), says.provisional);
            (same && namespace_of(self.context, taken)?.name == namespace).then(number)
        })
    }

    fn refuse(&self, why: &str) -> Exit {
        self.context.console.warning(&format!("refused: {why}"));
        Exit::Finding
    }

    /// A post with its words.
    fn worded(&self, mut says: Says, body: &str) -> Says {
        let id = says.to.as_ref().or(says.item.as_ref()).cloned().unwrap_or_default();
        says.subject = crate::event::text::collapse(&self.args.subject.replace(MARK, &id)).into_owned();
        says.text = text_of(&body.replace(MARK, &id));
        says.key.clone_from(&self.args.event);
        says
    }

    fn append(&self, body: &str) -> Result<Exit, CliError> {
        let gathered = gather(self.context, self.ledger)?;
        let board = Board::of(&gathered.feed);
        match self.plan(&gathered, &board)? {
            Plan::Write(says) => self.write(&gathered, &board, &self.worded(says, body)),
            Plan::Refuse(why) => Ok(self.refuse(&why)),
        }
    }

    fn plan(&self, gathered: &Gathered, board: &Board) -> Result<Plan, CliError> {
        let kind = self.args.kind.kind();
        let says = Says::new(kind, self.args.item.as_deref(), "");
        match kind {
            Kind::Actionable => self.new_item(gathered, board, says),
            Kind::Note if self.args.item.is_none() => Ok(Plan::Write(says)),
            Kind::Repair if self.args.item.is_none() => {
                let of = resolve(gathered, "--of", self.args.of.as_deref().unwrap_or_default())?;
                Ok(Plan::Write(Says { of: Some(of), ..says }))
            }
            Kind::Confirm => self.confirm(gathered, board, says),
            Kind::Amend => self.amend(gathered, board, says),
            Kind::Claim | Kind::Done | Kind::Note | Kind::Release | Kind::Repair => {
                let meant = self.meant(gathered, board)?;
                Ok(Plan::Write(meant.map_or(says.clone(), |filing| about(says, filing))))
            }
        }
    }

    /// An item that is filed, or posted again with a proof.
    fn new_item(&self, gathered: &Gathered, board: &Board, says: Says) -> Result<Plan, CliError> {
        if let Some(number) = self.number.clone() {
            return Ok(Plan::Write(numbered(Says { item: Some(number.item.clone()), ..says }, number)));
        }
        let item = self.args.item.clone().unwrap_or_default();
        let Some(filing) = board.find(&item) else {
            return Ok(match self.number(&item)?.and_then(|number| self.own(number, None)) {
                Ok(number) => Plan::Write(numbered(says, number)),
                Err(why) => Plan::Refuse(why),
            });
        };
        let proof = match &self.args.proof {
            Some(digits) => Some(resolve(gathered, "--proof", digits)?),
            None => last_proof(gathered, board, filing),
        };
        Ok(Plan::Write(Says { proof, ..says }))
    }

    fn amend(&self, gathered: &Gathered, board: &Board, says: Says) -> Result<Plan, CliError> {
        let of = self.meant(gathered, board)?;
        let to = self.args.to.as_deref().unwrap_or_default();
        let number = match &self.number {
            Some(number) => Ok(number.clone()),
            None => self.number(to)?.and_then(|number| self.own(number, of)),
        };
        Ok(match number {
            Ok(number) => {
                let says = of.map_or(says.clone(), |filing| about(says, filing));
                Plan::Write(numbered(Says { to: Some(number.item.clone()), ..says }, number))
            }
            Err(why) => Plan::Refuse(why),
        })
    }

    /// A provisional number: its log has confirmed it or given another one; without a log all posts were read
    /// again just now, and decide.
    fn confirm(&self, gathered: &Gathered, board: &Board, says: Says) -> Result<Plan, CliError> {
        let Some(filing) = self.meant(gathered, board)? else { return Ok(Plan::Write(says)) };
        let says = about(says, filing);
        let item = filing.holding.item.clone();
        let Some(nonce) = filing.holding.reserved.as_ref().filter(|_| filing.holding.is_pending()) else {
            return Ok(Plan::Write(says));
        };
        // A post can name a reservation where there is no log.
        let Some(namespace) = namespace_of(self.context, &item) else { return Ok(Plan::Write(says)) };
        let amended = format!("{nonce}-amend");
        let (own, seen) = self.allocator.books(namespace)?;
        let find = |book: &Book| book.anchors().iter().find(|anchor| anchor.nonce == amended).cloned();
        let new = find(&seen).or_else(|| find(&own)).and_then(|anchor| {
            let place = anchor.replaces.iter().position(|old| *old == item)?;
            // It may name what it left as it was.
            anchor.ids.get(place).filter(|new| **new != item).cloned()
        });
        Ok(Plan::Write(match new {
            None => says,
            Some(to) => {
                self.context.console.notice(&format!("AMENDMENT: {item} is {to} now"));
                Says { kind: Kind::Amend, to: Some(to), reserved: Some(amended), ..says }
            }
        }))
    }

    /// The item that is meant: the one of `--of`, else of those with this id the one that this seat has
    /// or filed, else the one with the best right to it.
    fn meant<'b>(&self, gathered: &Gathered, board: &'b Board) -> Result<Option<&'b Filing>, CliError> {
        let item = self.args.item.as_deref().unwrap_or_default();
        if let Some(digits) = &self.args.of {
            let id = resolve(gathered, "--of", digits)?;
            let filing = board.about(&id);
            let wrong = || CliError::Usage(format!("--of: the post `{digits}` is about no item"));
            return filing.map(Some).ok_or_else(wrong);
        }
        let Some(best) = board.find(item) else { return Ok(None) };
        let mut same = vec![best];
        same.extend(board.rivals(best));
        let seat = self.asking.agent.as_str();
        let mine = |filing: &&&Filing| match self.args.kind.kind() {
            Kind::Done | Kind::Release => filing.stage == Stage::Claimed(seat.to_owned()),
            Kind::Amend | Kind::Confirm => filing.by.agent == seat,
            Kind::Actionable | Kind::Claim | Kind::Note | Kind::Repair => false,
        };
        let own = same.iter().find(mine).copied();
        if own.is_none() && same.len() > 1 && self.args.kind == Word::Amend {
            // Whoever amends for others means the one that has to move.
            return Ok(same.last().copied());
        }
        Ok(own.or(Some(best)))
    }

    /// Reserves a number above every one that the feed names.
    fn reserve(&self, gathered: &Gathered, name: &str) -> Result<Number, CliError> {
        let namespace = self.allocator.namespace(name)?;
        let wish = Wish { count: 1, event: self.args.event.clone(), ..Wish::default() };
        let posted = posted(gathered, namespace);
        let reserve = || self.allocator.reserve_beside(namespace, &self.asking, &wish, &posted);
        let reserved = asking_log(self.context, namespace, reserve)?;
        let item = reserved.ids.first().cloned().unwrap_or_default();
        // Of a number that was amended meanwhile, the amendment is the reservation.
        if reserved.repeated
            && let Ok(number) = self.number(&item)?
        {
            return Ok(number);
        }
        Ok(Number::new(item, Some(reserved.anchor.nonce), reserved.provisional))
    }

    /// A number that is named.
    fn number(&self, item: &str) -> Result<Result<Number, String>, CliError> {
        number::named(self.context, &self.allocator, item, self.unasked.as_deref())
    }

    /// A number that is named, if this seat may use it, or the one whose item it is going to be.
    fn own(&self, number: Number, filing: Option<&Filing>) -> Result<Number, String> {
        let filed_by = filing.map(|filing| filing.by.agent.as_str());
        number.own(self.context, &self.asking.agent, filed_by, self.args.event.as_ref())
    }

    /// A post as it would be at an instant. The rules are asked by letting it in: what the queue would refuse is not
    /// written.
    fn candidate(&self, gathered: &Gathered, says: &Says, ts: Timestamp) -> Result<Candidate, CliError> {
        let heads = gathered.feed.heads();
        let skipped = heads.len().saturating_sub(MAX_PARENTS);
        let draft = Draft {
            ts,
            seat: self.asking.agent.clone(),
            branch: self.asking.branch.as_deref().map(|branch| mask(branch).into_owned()),
            parents: heads.into_iter().skip(skipped).collect(),
            says: says.clone(),
        };
        let (text, post) = draft
            .post(self.context.schema())
            .map_err(|fault| CliError::Usage(format!("this cannot be posted: {fault}")))?;
        if text.len() > MAX_BYTES {
            return Err(CliError::Usage(format!("the post would have {} bytes, of at most {MAX_BYTES}", text.len())));
        }
        let mut feed = gathered.feed.clone();
        feed.insert(post.clone());
        Ok(Candidate { text, post, after: Board::of(&feed) })
    }

    /// The post at the instant that is chosen for it, and what has to be said of that.
    fn chosen(&self, gathered: &Gathered, board: &Board, says: &Says) -> Result<(Candidate, Option<String>), CliError> {
        let (near, far) = instants(gathered, board, says)?;
        let mut candidate = self.candidate(gathered, says, far.unwrap_or(near))?;
        let mut warning = None;
        if let Some(far) = far {
            // What is dated far ahead is not followed, unless the post has to come after it to take effect.
            let now = self.candidate(gathered, says, near)?;
            let ids = [&candidate.post.stamp.id, &now.post.stamp.id];
            if same_but_for(ids, [&candidate.after, &now.after], &gathered.feed) {
                candidate = now;
            } else if candidate.after.verdict(&candidate.post.stamp.id) == Some(&Verdict::Done) {
                warning = Some(format!(
                    "a post about the same item is dated more than 24 h ahead, and this one has to come after it: it is dated {far}; `headwater feed drift` says how to settle that"
                ));
            }
        }
        Ok((candidate, warning))
    }

    fn write(&self, gathered: &Gathered, board: &Board, says: &Says) -> Result<Exit, CliError> {
        let console = self.context.console;
        let (Candidate { text, post, after }, warning) = self.chosen(gathered, board, says)?;
        if let Some(warning) = warning {
            console.warning(&warning);
        }
        match after.verdict(&post.stamp.id) {
            Some(Verdict::Refused(refusal)) => Ok(self.refuse(&refused(&post, refusal, board))),
            Some(Verdict::Repeats(earlier)) => {
                let earlier = gathered.feed.get(earlier).unwrap_or(&post);
                let now = board.about(&earlier.stamp.id).map(|filing| (&filing.holding.item, filing.stage.word()));
                let now = now.map(|(item, stage)| format!("; {item} is {stage} now")).unwrap_or_default();
                console.notice(&format!("this was posted before, and nothing was written{now}"));
                self.print(earlier, &gathered.place(&earlier.stamp.id), true)?;
                Ok(Exit::Done)
            }
            Some(Verdict::Done | Verdict::Void(_)) | None => {
                let stem = file_stem(post.stamp.ts, &post.stamp.agent);
                let path = create_event(&self.ledger.dir, &stem, &text)?;
                record::keep(self.context, self.ledger, &stem, &text);
                if post.says.provisional {
                    let item = post.says.to.as_ref().or(post.says.item.as_ref()).cloned().unwrap_or_default();
                    console.notice(&format!(
                        "{item} is provisional: within 30 s `headwater feed append --kind confirm --item {item} --subject …`"
                    ));
                }
                self.print(&post, &path.display().to_string(), false)?;
                record::follow(self.context, self.ledger, self.context.config.triggers.event);
                Ok(Exit::Done)
            }
        }
    }

    fn print(&self, post: &Post, path: &str, repeated: bool) -> Result<(), CliError> {
        let console = self.context.console;
        let says = &post.says;
        let item = says.to.as_ref().or(says.item.as_ref());
        if console.json {
            return console.json(&json!({"schema": "headwater.feed.append/1", "item": item, "kind": says.kind.word(),
                "mark": says.kind.mark(), "confirm_pending": says.provisional, "repeated": repeated, "path": path,
                "post": post.stamp.id.to_hex(), "ts": post.stamp.ts.to_string(), "seat": post.stamp.agent}));
        }
        if console.plain {
            return console.result(item.map_or("", String::as_str));
        }
        let item = item.map_or("-", String::as_str);
        let pending = if says.provisional { "  CONFIRM-PENDING" } else { "" };
        console.result(&format!("{item}  {}{pending}  {}", says.kind.mark(), safe_for_terminal(path)))
    }
}

/// The refusal in words, with what to do.
fn refused(post: &Post, refusal: &Refusal, board: &Board) -> String {
    let void = || post.says.voids().map(|id| format!("{id:.12}")).unwrap_or_default();
    let item = post.says.item.clone().unwrap_or_else(void);
    let known = board.find(&item).map(|filing| filing.by.agent.clone()).unwrap_or_default();
    let remedy = match refusal {
        Refusal::Exists(_) | Refusal::Spent(_) => {
            format!("{known} filed {item}: take a new number with `--reserve`, or release or repair it first")
        }
        Refusal::UnknownItem | Refusal::UnknownFiling => {
            "see `headwater feed queue --all`, or file it with `--kind actionable`".to_owned()
        }
        Refusal::ClaimedBy(seat) => {
            format!("choose another item, or ask {seat} to release it; `--kind repair` if it is cold")
        }
        Refusal::DoneBy(_) => "`--kind repair` opens it again".to_owned(),
        Refusal::NotClaimed => "claim it first: `--kind claim`".to_owned(),
        Refusal::Collides(_) => "give it another id: `--kind amend`".to_owned(),
        Refusal::AmendedTo(to) => format!("name {to}"),
        Refusal::KeyUsed(_) => "name another `--event`, or say the same as the same seat".to_owned(),
        Refusal::InForce => "name the item that it is about: `--kind repair --item ID`".to_owned(),
        Refusal::Said(_) => "say what is new with `--kind note`".to_owned(),
        Refusal::NoProof => "name a release or repair of this item that is in force".to_owned(),
    };
    format!("{item}: {}; {remedy}", refusal.text())
}

/// The instant of the post: now, but above everything that was seen up to 24 h ahead; and, where something that was
/// said of its item is dated further ahead, an instant above that too.
fn instants(gathered: &Gathered, board: &Board, says: &Says) -> Result<(Timestamp, Option<Timestamp>), CliError> {
    let now = clock::now()?;
    let horizon = now.after(FAR_AHEAD).unwrap_or(now);
    let above = |floor: Option<Timestamp>| match floor.filter(|floor| *floor >= now) {
        None => Ok(now),
        Some(floor) => floor.floor_to_millis().after(Span::MILLISECOND).ok_or(CliError::Clock),
    };
    let is_void = |post: &&Post| matches!(board.verdict(&post.stamp.id), Some(Verdict::Void(_)));
    let seen = gathered.feed.in_order().into_iter().map(|post| post.stamp.ts).filter(|ts| *ts <= horizon).max();
    if says.voids().is_some() {
        return Ok((above(seen)?, None));
    }
    let named: Vec<&String> = says.item.iter().chain(&says.to).collect();
    let about = named.iter().flat_map(|item| gathered.feed.naming(item));
    let filings = says.of.iter().filter_map(|of| board.about(of)).flat_map(|filing| &filing.posts);
    let history = filings.filter_map(|id| gathered.feed.get(id));
    let ahead = about.chain(history).filter(|post| !is_void(post)).map(|post| post.stamp.ts).max();
    Ok((above(seen)?, ahead.filter(|ts| *ts > horizon).map(|ahead| above(Some(ahead))).transpose()?))
}

/// Whether two queues are the same but for the instant of one post.
fn same_but_for(post: [&EventId; 2], boards: [&Board; 2], feed: &Feed) -> bool {
    let [a, b] = boards;
    let items = |board: &Board, own: &EventId| {
        let item = |filing: &Filing| {
            let by = Some(filing.by.id).filter(|by| by != own);
            let held = (filing.holding.item.clone(), filing.holding.is_pending(), filing.holding.confirmed);
            (by, held, filing.stage.clone(), filing.subject.clone(), filing.lost.len())
        };
        let mut items: Vec<_> = board.filings().iter().map(item).collect();
        items.sort();
        items
    };
    let [own_a, own_b] = post;
    a.verdict(own_a) == b.verdict(own_b)
        && feed.in_order().iter().all(|post| a.verdict(&post.stamp.id) == b.verdict(&post.stamp.id))
        && items(a, own_a) == items(b, own_b)
}

/// A post about an item, by its id as it is written.
fn about(says: Says, filing: &Filing) -> Says {
    let held = &filing.holding.item;
    let item = says.item.map(|item| if item_key(&item) == item_key(held) { held.clone() } else { item });
    Says { of: Some(filing.by.id), item, ..says }
}

fn numbered(says: Says, number: Number) -> Says {
    Says { reserved: number.reserved, provisional: number.provisional, ..says }
}

/// The post that a beginning of an id names.
fn resolve(gathered: &Gathered, option: &str, digits: &str) -> Result<EventId, CliError> {
    let found = IdPrefix::parse(digits).and_then(|prefix| {
        let mut bad = gathered.bad.keys().filter(|id| prefix.matches(id)).copied();
        gathered.feed.resolve(&prefix).or_else(|| bad.next().filter(|_| bad.next().is_none()))
    });
    found.ok_or_else(|| {
        CliError::Usage(format!("{option}: `{}` names no single post; give 12 or more digits", digits.escape_debug()))
    })
}

/// The release or repair that put an item back to waiting, if that is how it waits.
fn last_proof(gathered: &Gathered, board: &Board, filing: &Filing) -> Option<EventId> {
    let turns = |post: &&Post| {
        let kinds = [Kind::Claim, Kind::Done, Kind::Release, Kind::Repair];
        kinds.contains(&post.says.kind) && board.verdict(&post.stamp.id) == Some(&Verdict::Done)
    };
    let last = filing.posts.iter().rev().filter_map(|id| gathered.feed.get(id)).find(turns)?;
    matches!(last.says.kind, Kind::Release | Kind::Repair).then_some(last.stamp.id)
}

/// Numbers that posts use without the log are spent as well.
fn posted(gathered: &Gathered, namespace: &Namespace) -> Numbers {
    let posts = gathered.feed.in_order();
    let named = posts.iter().flat_map(|post| post.says.item.iter().chain(&post.says.to));
    let mut numbers = Numbers::new();
    for says in named.filter_map(|item| namespace.format.read(item)) {
        numbers.entry(says.scope).or_default().other(says.number);
    }
    numbers
}
