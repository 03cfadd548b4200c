//! `headwater synth` under the name that existing scripts call.

fn main() -> std::process::ExitCode {
    headwater::cli::main_cc_synthesize()
}
