//! `headwater ledger`: allocations on an issue, and what is projected from them.

use crate::hub::{Fault, Server};
use crate::sandbox::{Ended, Sandbox, git, headwater, run};
use std::path::Path;

/// A repository whose ledger is on the server's issue.
fn repo() -> (Sandbox, Server) {
    let repo = Sandbox::repo();
    std::fs::write(repo.root.join(".headwater.yaml"), "github: {issue: 5}\n").unwrap();
    repo.commit("start");
    (repo, Server::start())
}

fn ledger(server: &Server, cwd: &Path, args: &[&str]) -> Ended {
    let mut command = headwater(cwd, &["ledger"]);
    let api = server.api();
    command.envs([("GITHUB_TOKEN", "alice-token"), ("GITHUB_API_URL", &api), ("GITHUB_REPOSITORY", "o/r")]);
    command.env("HEADWATER_GITHUB", "o/r#5");
    run(command.args(args))
}

#[track_caller]
fn prints(server: &Server, cwd: &Path, args: &[&str], expected: &str) {
    assert_eq!(ledger(server, cwd, args).exits(0).stdout, format!("{expected}\n"), "{args:?}");
}

fn page(repo: &Sandbox) -> String {
    std::fs::read_to_string(repo.root.join("wiki/collision-ledger.md")).unwrap()
}

#[test]
fn the_ledger_as_its_users_know_it() {
    let (repo, server) = repo();
    let run = |args: &[&str]| ledger(&server, &repo.root, args);
    let prints = |args: &[&str], expected: &str| prints(&server, &repo.root, args, expected);
    prints(&["allocate", "--kind", "occ", "--ids", "#96,#95", "--event", "7d0f8bca"], "#95 #96");
    prints(&["allocate", "--kind", "occ", "--event", "7d0f8bca", "--note", "dual-execution episode"], "#97");
    prints(&["allocate", "--kind", "occ", "--count", "2", "--event", "7d0f8bca"], "#98 #99");
    for (kind, id) in [("nm", "NM38"), ("fold", "n=74"), ("meta", "M39")] {
        prints(&["allocate", "--kind", kind, "--ids", id, "--event", "e"], id);
    }
    let body = server.state().comments[1].body.clone();
    let opening = "```yaml alloc\nkind: occ\nids: [\"#97\"]\nevent: 7d0f8bca\nnote: dual-execution episode\n";
    assert!(body.starts_with(opening) && body.ends_with("```\n"), "{body}");
    // The same allocation again is the same one; a backfill of what has an anchor is refused.
    let again = run(&["allocate", "--kind", "occ", "--count", "2", "--event", "7d0f8bca"]).exits(0);
    assert_eq!(again.says("was allocated at").stdout, "#98 #99\n");
    run(&["allocate", "--kind", "occ", "--ids", "#42,#97", "--event", "x"]).exits(1).says("#97 has an anchor already");
    assert_eq!(server.state().comments.len(), 6);
    for wrong in [
        &["--kind", "tree", "--event", "e"][..],
        &["--kind", "occ"],
        &["--kind", "occ", "--event", "e", "--count", "0"],
        &["--kind", "occ", "--event", "e", "--count", "1000000000"],
        &["--kind", "occ", "--event", "e", "--ids", "NM1"],
        &["--kind", "occ", "--event", " "],
        &["--kind", "occ", "--event", "e", "--ids", "#0"],
        &["--kind", "nm", "--event", "e", "--ids", "NM1,NM0"],
    ] {
        run(&[&["allocate"], wrong].concat()).exits(2);
    }

    let stale = "verify: ledger page diverges from the anchor record; MEMORY row diverges from the anchor record\n";
    assert_eq!(run(&["verify"]).exits(1).stdout, stale);
    std::fs::create_dir(repo.root.join("wiki")).unwrap();
    let memory = repo.root.join("wiki/MEMORY.md");
    std::fs::write(
        &memory,
        "# Memory\r\n\r\n| what | … |\r\n<!-- headwater:ledger --><!-- headwater:ledger:end -->\r\nmine",
    )
    .unwrap();
    prints(&["rebuild"], "rebuilt: 8 ids, 0 double-allocation(s)");
    prints(&["verify"], "verify: clean");
    let row = "<!-- headwater:ledger --> | [Collision ledger](collision-ledger.md) | 8 ids | latest #99 NM38 n=74 M39 | 0 double-allocation(s) | <!-- headwater:ledger:end -->";
    let expected = format!("# Memory\r\n\r\n| what | … |\r\n{row}\r\nmine");
    assert_eq!(std::fs::read_to_string(&memory).unwrap(), expected);

    // Both are projections: gone and rebuilt they have the same bytes, prose aside.
    let first = page(&repo);
    std::fs::remove_dir_all(repo.root.join("wiki")).unwrap();
    prints(&["rebuild"], "rebuilt: 8 ids, 0 double-allocation(s)");
    assert_eq!(page(&repo), first);
    std::fs::write(repo.root.join("wiki/collision-ledger.md"), format!("{first}\nCaused by #44, see #97.\n")).unwrap();
    let warned = run(&["rebuild"]).exits(0);
    assert_eq!(warned.stderr, "warning: prose cites missing anchors: #44\n");
    assert!(page(&repo).ends_with("Caused by #44, see #97.\n"));
    assert_eq!(run(&["verify"]).exits(0).stdout, "verify: clean\n");
    assert_eq!(run(&["rebuild", "--format", "json"]).exits(0).json()["missing"][0], "#44");
}

/// What stands outside the regions comes back byte for byte; a page that can be read in two ways is not touched.
#[test]
fn prose_is_kept_to_the_byte() {
    let (repo, server) = repo();
    let rebuild = || ledger(&server, &repo.root, &["rebuild", "--log", "local"]);
    prints(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "a", "--log", "local"], "#1");
    rebuild().exits(0);
    let path = repo.root.join("wiki/collision-ledger.md");
    let fresh = page(&repo);
    let prose = "\n\n- kind: occ (overlapping occurrence)\n  <!-- headwater:end #1 -->\n```\n\n```\n\n\nno end";
    for text in [format!("{fresh}{prose}"), format!("{fresh}{prose}").replace('\n', "\r\n")] {
        std::fs::write(&path, &text).unwrap();
        prints(&server, &repo.root, &["verify", "--log", "local"], "verify: clean");
        rebuild().exits(0);
        assert_eq!(page(&repo), text);
    }
    std::fs::write(&path, fresh.replacen("## #1\n", "## #1\n\nmine\n", 1)).unwrap();
    rebuild().exits(0).says("what was written between the markers of #1 stands below them now");
    assert_eq!(page(&repo), format!("{fresh}mine\n\n"));
    let torn = fresh.replace("<!-- headwater:end #1 -->\n", "");
    std::fs::write(&path, &torn).unwrap();
    rebuild().exits(2).says("wiki/collision-ledger.md:7: the region of #1 begins here and does not end; put");
    assert_eq!(page(&repo), torn);
    let said = ledger(&server, &repo.root, &["verify", "--log", "local"]).exits(1).says("collision-ledger.md:7:");
    assert_eq!(said.stdout, "verify: ledger page diverges from the anchor record\n");
}

/// What speaks of an issue is not passed over where the log is none.
#[test]
fn options_of_an_issue_need_one() {
    let (repo, server) = repo();
    for log in ["local", "git"] {
        for args in [&["rebuild", "--repair"][..], &["rebuild", "--issue", "5"], &["verify", "--repo", "o/r"]] {
            let said = format!("{} speaks of the issue of `--log github`, and the log here is `{log}`", args[1]);
            ledger(&server, &repo.root, &[args, &["--log", log]].concat()).exits(2).says(&said);
        }
    }
    std::fs::write(repo.root.join(".headwater.yaml"), "collisions: {log: local}\n").unwrap();
    ledger(&server, &repo.root, &["rebuild", "--repair"]).exits(2).says("--repair speaks of the issue");
    ledger(&server, &repo.root, &["verify", "--issue", "5"]).exits(1);
    assert!(server.state().requests.len() == 1, "`--issue` alone names the log on it");
}

#[test]
fn losers_of_double_allocations() {
    let (repo, server) = repo();
    let foreign =
        |event: &str| format!("```yaml alloc\nkind: occ\nids: [\"#1\", \"#2\"]\nevent: {event}\nnote: x\n```");
    for event in ["first", "second"] {
        server.state().add("carol", &foreign(event));
    }
    prints(&server, &repo.root, &["rebuild", "--gapped"], "rebuilt: 2 ids, 2 double-allocation(s)");
    let gapped = page(&repo);
    assert_eq!(gapped.matches("(gap: allocated twice, published first by another)").count(), 2, "{gapped}");
    prints(&server, &repo.root, &["verify"], "verify: clean");
    let below = gapped.rfind("<!-- headwater:end #1~").unwrap();
    let line = below + gapped[below..].find('\n').unwrap();
    let with_prose = format!("{}\nThe second one.\n{}", &gapped[..line], &gapped[line..]);
    std::fs::write(repo.root.join("wiki/collision-ledger.md"), with_prose).unwrap();
    // The amendment names what it replaces, and the prose goes with the loser.
    prints(&server, &repo.root, &["rebuild"], "rebuilt: 4 ids, 2 double-allocation(s)");
    assert_eq!(server.state().comments.len(), 3);
    let renumbered = page(&repo);
    assert!(!renumbered.contains("(gap"), "{renumbered}");
    let third = renumbered.split("## #3\n").nth(1).unwrap();
    assert!(third.contains("- event: second\n") && third.contains("- formerly: #1\n"), "{third}");
    assert!(third.split("<!-- headwater:anchor #4").next().unwrap().ends_with("\nThe second one.\n\n"), "{third}");
    prints(&server, &repo.root, &["verify"], "verify: clean");
    prints(&server, &repo.root, &["rebuild"], "rebuilt: 4 ids, 2 double-allocation(s)");
    assert_eq!(server.state().comments.len(), 3);
}

#[test]
fn what_is_deleted_fails_verify_until_it_is_repaired() {
    let (repo, server) = repo();
    for event in ["a", "b"] {
        ledger(&server, &repo.root, &["allocate", "--kind", "occ", "--event", event]).exits(0);
    }
    prints(&server, &repo.root, &["rebuild"], "rebuilt: 2 ids, 0 double-allocation(s)");
    let whole = page(&repo);
    let gone = server.state().comments.remove(1);
    let said = ledger(&server, &repo.root, &["verify"]).exits(1).says("--repair").stdout;
    assert!(said.starts_with(&format!("verify: anchor comment {} was deleted since it was seen; ", gone.id)), "{said}");
    let allocated = ledger(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "c"]).exits(0);
    let warning =
        format!("comment {} was deleted since it was seen here; `headwater ledger rebuild --repair`", gone.id);
    assert_eq!(allocated.says(&warning).stdout, "#3\n");
    ledger(&server, &repo.root, &["rebuild"]).exits(1).says("was deleted");
    ledger(&server, &repo.root, &["verify"]).exits(1);
    prints(&server, &repo.root, &["rebuild", "--repair"], "rebuilt: 3 ids, 0 double-allocation(s)");
    prints(&server, &repo.root, &["verify"], "verify: clean");
    let settled = ledger(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "c"]).exits(0);
    assert!(!settled.stderr.contains("warning"), "{}", settled.stderr);
    assert!(page(&repo).starts_with(whole.trim_end()), "{}", page(&repo));
    // A clone that saw nothing of it reads the same.
    let other = repo.beside("other");
    git(&repo.root, &["clone", "-q", ".", other.to_str().unwrap()]);
    prints(&server, &other, &["rebuild"], "rebuilt: 3 ids, 0 double-allocation(s)");
    assert_eq!(std::fs::read_to_string(other.join("wiki/collision-ledger.md")).unwrap(), page(&repo));
}

/// Another clone allocates what it never saw, for it was deleted or edited: the repair makes a double allocation
/// of it, whose loser gets a new id, in the same run, and takes its prose along.
#[test]
fn a_repair_renumbers_what_others_allocated_meanwhile() {
    for is_deleted in [true, false] {
        let (repo, server) = repo();
        let other = repo.beside("other");
        git(&repo.root, &["clone", "-q", ".", other.to_str().unwrap()]);
        for (event, id) in [("e1", "#1"), ("e2", "#2")] {
            prints(&server, &repo.root, &["allocate", "--kind", "occ", "--event", event], id);
        }
        if is_deleted {
            server.state().comments.remove(1);
        } else {
            let body = server.state().comments[1].body.replacen("```yaml alloc", "```yaml", 1);
            server.state().comments[1].body = body;
        }
        prints(&server, &other, &["allocate", "--kind", "occ", "--event", "ec", "--note", "cc"], "#2");
        prints(&server, &other, &["rebuild"], "rebuilt: 2 ids, 0 double-allocation(s)");
        let path = other.join("wiki/collision-ledger.md");
        let with_prose = std::fs::read_to_string(&path).unwrap() + "The prose of ec.\n";
        std::fs::write(&path, with_prose).unwrap();
        prints(&server, &other, &["rebuild"], "rebuilt: 2 ids, 0 double-allocation(s)");

        prints(&server, &repo.root, &["rebuild", "--repair"], "rebuilt: 3 ids, 1 double-allocation(s)");
        ledger(&server, &other, &["verify"]).exits(1);
        prints(&server, &other, &["rebuild"], "rebuilt: 3 ids, 1 double-allocation(s)");
        let rebuilt = std::fs::read_to_string(&path).unwrap();
        assert_eq!(rebuilt, page(&repo) + "The prose of ec.\n");
        let third = rebuilt.split("## #3\n").nth(1).unwrap();
        assert!(third.contains("- event: ec\n") && third.contains("- formerly: #2\n"), "{rebuilt}");
        let again = ["allocate", "--kind", "occ", "--event", "ec", "--note", "cc"];
        assert_eq!(ledger(&server, &other, &again).exits(0).stdout, "#3\n");
        for clone in [&repo.root, &other] {
            prints(&server, clone, &["verify"], "verify: clean");
        }
    }
}

/// What is nearly a block is not passed over in silence; one without an event takes its ids all the same.
#[test]
fn blocks_that_lack_something() {
    let (repo, server) = repo();
    let block = "\nkind: occ\nids: [\"#20\"]\nevent: x\n";
    let mut said = Vec::new();
    for (opening, closing) in
        [("~~~yaml alloc", "~~~"), ("```yaml  alloc", "```"), (" ```YAML alloc", "```"), ("````yaml alloc", "````")]
    {
        let at = server.state().add("carol", &format!("Words.\n{opening}{block}{closing}"));
        said.push(format!("comment {at} is no anchor: it opens with `{opening}`, and not with ````yaml alloc`"));
    }
    let open = server.state().add("carol", &format!("```yaml alloc{block}"));
    said.push(format!("comment {open} is no anchor: its fence is not closed"));
    server
        .state()
        .add("carol", &format!("````markdown\n~~~yaml alloc{block}~~~\n````\n> ~~~yaml alloc\n\n```yaml\n```"));
    let bare = server.state().add("carol", "```yaml alloc\nkind: occ\nids: [\"#30\"]\n```");
    said.push(format!("comment {bare} names no `event`; its ids are taken"));
    let rebuilt = ledger(&server, &repo.root, &["rebuild"]).exits(0);
    assert_eq!(rebuilt.stdout, "rebuilt: 1 ids, 0 double-allocation(s)\n");
    assert_eq!(rebuilt.stderr.lines().count(), said.len(), "{}", rebuilt.stderr);
    for said in said {
        assert!(rebuilt.stderr.contains(&said), "{said}: {}", rebuilt.stderr);
    }
    ledger(&server, &repo.root, &["verify"]).exits(0).says("names no `event`");
    prints(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "y"], "#31");
}

/// Two clones saw two texts of one comment: the first repair counts, and the other clone is told.
#[test]
fn a_repair_that_says_something_else_than_was_seen_is_told() {
    let (repo, server) = repo();
    let other = repo.beside("other");
    git(&repo.root, &["clone", "-q", ".", other.to_str().unwrap()]);
    prints(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "e1"], "#1");
    let edit = |from: &str, to: &str| {
        let body = server.state().comments[0].body.replacen(from, to, 1);
        server.state().comments[0].body = body;
    };
    edit("event: e1", "event: e2");
    ledger(&server, &other, &["rebuild"]).exits(0);
    edit("event: e2", "event: e3");
    let repaired = ledger(&server, &other, &["rebuild", "--repair"]).exits(0);
    assert!(!repaired.stderr.contains("warning"), "{}", repaired.stderr);
    let at = server.state().comments[0].id;
    let said = format!(
        "comment {at} says `#1 for event e2` by its first repair, which counts, and `#1 for event e1` when it was seen"
    );
    ledger(&server, &repo.root, &["rebuild"]).exits(0).says(&said);
    assert_eq!(ledger(&server, &repo.root, &["verify"]).exits(0).says(&said).stdout, "verify: clean\n");
}

#[test]
fn every_log_works_alike() {
    let (repo, server) = repo();
    let remote = repo.beside("remote.git");
    git(&repo.root, &["init", "-q", "--bare", remote.to_str().unwrap()]);
    repo.git(&["remote", "add", "origin", remote.to_str().unwrap()]);
    let note = "two\nlines\n```yaml alloc\nkind: occ\n```";
    let mut pages = Vec::new();
    for log in ["local", "git", "github"] {
        let prints = |args: &[&str], expected: &str| {
            prints(&server, &repo.root, &[args, &["--log", log]].concat(), expected);
        };
        prints(&["allocate", "--kind", "occ", "--event", "a", "--note", note, "--agent", "toast"], "#1");
        prints(&["allocate", "--kind", "occ", "--event", "a", "--count", "2", "--agent", "toast"], "#2 #3");
        prints(&["allocate", "--kind", "fold", "--event", "#1", "--agent", "toast"], "n=1");
        let again = [&["allocate", "--kind", "occ", "--event", "a", "--note", note][..], &["--log", log]].concat();
        assert_eq!(ledger(&server, &repo.root, &again).exits(0).says("#1 was allocated").stdout, "#1\n");
        let taken = ["allocate", "--kind", "occ", "--ids", "#2", "--event", "z", "--log", log];
        ledger(&server, &repo.root, &taken).exits(1).says("#2 has an anchor");
        prints(&["rebuild"], "rebuilt: 4 ids, 0 double-allocation(s)");
        prints(&["verify"], "verify: clean");
        pages.push(page(&repo));
        std::fs::remove_dir_all(repo.root.join("wiki")).unwrap();
    }
    let without = |page: &String| -> Vec<String> {
        let own = |line: &&str| {
            !line.starts_with("- allocated") && !line.starts_with("- comment") && !line.starts_with("<!--")
        };
        page.lines().filter(own).map(str::to_owned).collect()
    };
    assert!(pages[0].contains("> two\n> lines\n> ```yaml alloc\n"), "{}", pages[0]);
    assert_eq!((without(&pages[0]), without(&pages[1])), (without(&pages[1]), without(&pages[2])));
    // An id that the page shows is spent even where the local log is lost.
    ledger(&server, &repo.root, &["rebuild", "--log", "local"]).exits(0);
    std::fs::remove_dir_all(repo.root.join(".git/headwater")).unwrap();
    prints(&server, &repo.root, &["allocate", "--kind", "occ", "--event", "new", "--log", "local"], "#4");
}

#[test]
fn where_the_issue_is_and_who_asks() {
    let (repo, server) = repo();
    let asks = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = headwater(&repo.root, &["ledger", "verify"]);
        let api = server.api();
        run(command.args(args).env("GITHUB_API_URL", api).envs(variables.iter().copied()))
    };
    let named = ["--repo", "o/r"];
    asks(&named, &[]).exits(2).says("gh auth login");
    asks(&named, &[("GH_TOKEN", "alice-token")]).exits(1);
    asks(&named, &[("GITHUB_TOKEN", "wrong")]).exits(2).says("does not accept the token (401): Bad credentials");
    let token = [("GITHUB_TOKEN", "alice-token")];
    asks(&[], &token).exits(2).says("there is no remote `origin`");
    repo.git(&["remote", "add", "origin", "git@github.com:o/r.git"]);
    asks(&[], &token).exits(2).says("`origin` is on github.com, and 127.0.0.1 is asked");
    repo.git(&["remote", "set-url", "origin", "ssh://git@127.0.0.1:22/o/r.git"]);
    asks(&[], &token).exits(1);
    asks(&["--issue", "6"], &token).exits(2).says("o/r#6 is not there, or the token may not see it (404)");
    asks(&[], &[("GITHUB_TOKEN", "alice-token"), ("GITHUB_REPOSITORY", "o/x")]).exits(2).says("o/x#5");
    asks(&["--repo", "o"], &token).exits(2).says("`owner/name`");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let gh = repo.beside("gh");
        std::fs::write(&gh, "#!/bin/sh\n[ \"$*\" = 'auth token --hostname 127.0.0.1' ] && echo alice-token\n").unwrap();
        std::fs::set_permissions(&gh, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", gh.parent().unwrap().display(), std::env::var("PATH").unwrap());
        asks(&named, &[("PATH", &path)]).exits(1);
    }
    // A token never leaves the machine in the clear.
    let mut command = headwater(&repo.root, &["ledger", "verify", "--repo", "o/r"]);
    run(command.envs(token).env("GITHUB_API_URL", "http://git.example.org")).exits(2).says("only sent over https");
    // A wait that is too long ends at once, and says so.
    server.state().get_faults = [Fault::Status(429, vec![("Retry-After", "3600".to_owned())], "slow")].into();
    asks(&["--wait", "5"], &token).exits(2).says("asks to wait 3600 s");
}

#[test]
fn a_namespace_of_ids_on_the_issue() {
    let (repo, server) = repo();
    std::fs::write(
        repo.root.join(".headwater.yaml"),
        "github: {issue: 5, repository: o/r}\nids: {SEC: {log: github}}\n",
    )
    .unwrap();
    let id = |args: &[&str]| {
        let mut command = headwater(&repo.root, &["id"]);
        run(command.args(args).env("GITHUB_API_URL", server.api()).env("GITHUB_TOKEN", "alice-token"))
    };
    // A branch names the issue, and the user of the clone says that it may be used.
    id(&["init"]).exits(2).says("`git config --add headwater.github 'o/r#5'`");
    repo.git(&["config", "headwater.github", "o/r#5"]);
    id(&["init"]).exits(0);
    assert_eq!(id(&["reserve", "SEC", "2", "--format", "plain"]).exits(0).stdout, "SEC-1 SEC-2\n");
    id(&["release", "SEC-2"]).exits(0);
    assert_eq!(id(&["next", "SEC"]).exits(0).stdout, "SEC-3\n");
    assert!(id(&["list"]).exits(0).stdout.contains("RELEASED"));
    // Without the issue an id is provisional, and confirmed when it is back.
    server.state().post_faults = std::iter::repeat_n(Fault::Cut, 20).collect();
    let offline = id(&["reserve", "SEC", "--wait", "0"]);
    server.state().post_faults.clear();
    assert_eq!(offline.exits(0).json()["provisional"], true);
    assert_eq!(id(&["sync"]).exits(0).stdout, "CONFIRMED: SEC-3\n");
}
