//! `wasi:cli`.

use super::bindings::wasi::cli::{
    environment, exit, stderr, stdin, stdout, terminal_input, terminal_output, terminal_stderr,
    terminal_stdin, terminal_stdout,
};
use crate::ctx::WasiCtxView;
use crate::error::I32Exit;
use crate::stream::{DynInputStream, DynOutputStream};
use wharf::component::Resource;
use wharf::{Error, Result};

/// The `terminal-input` resource: says that an input is a terminal.
#[derive(Debug)]
pub struct TerminalInput(());

/// The `terminal-output` resource: says that an output is a terminal.
#[derive(Debug)]
pub struct TerminalOutput(());

impl environment::Host for WasiCtxView<'_> {
    fn get_environment(&mut self) -> Result<Vec<(String, String)>> {
        Ok(self.ctx.env.clone())
    }

    fn get_arguments(&mut self) -> Result<Vec<String>> {
        Ok(self.ctx.args.clone())
    }

    fn initial_cwd(&mut self) -> Result<Option<String>> {
        Ok(self.ctx.initial_cwd.clone())
    }
}

impl exit::Host for WasiCtxView<'_> {
    fn exit(&mut self, status: std::result::Result<(), ()>) -> Result<()> {
        Err(Error::host(I32Exit(i32::from(status.is_err()))))
    }

    fn exit_with_code(&mut self, status_code: u8) -> Result<()> {
        Err(Error::host(I32Exit(status_code.into())))
    }
}

impl stdin::Host for WasiCtxView<'_> {
    fn get_stdin(&mut self) -> Result<Resource<DynInputStream>> {
        Ok(self.table.push(self.ctx.stdin.p2_stream())?)
    }
}

impl stdout::Host for WasiCtxView<'_> {
    fn get_stdout(&mut self) -> Result<Resource<DynOutputStream>> {
        Ok(self.table.push(self.ctx.stdout.p2_stream())?)
    }
}

impl stderr::Host for WasiCtxView<'_> {
    fn get_stderr(&mut self) -> Result<Resource<DynOutputStream>> {
        Ok(self.table.push(self.ctx.stderr.p2_stream())?)
    }
}

impl terminal_input::HostTerminalInput for WasiCtxView<'_> {
    fn drop(&mut self, terminal: Resource<TerminalInput>) -> Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_input::Host for WasiCtxView<'_> {}

impl terminal_output::HostTerminalOutput for WasiCtxView<'_> {
    fn drop(&mut self, terminal: Resource<TerminalOutput>) -> Result<()> {
        self.table.delete(terminal)?;
        Ok(())
    }
}

impl terminal_output::Host for WasiCtxView<'_> {}

impl terminal_stdin::Host for WasiCtxView<'_> {
    fn get_terminal_stdin(&mut self) -> Result<Option<Resource<TerminalInput>>> {
        Ok(if self.ctx.stdin.is_terminal() {
            Some(self.table.push(TerminalInput(()))?)
        } else {
            None
        })
    }
}

impl WasiCtxView<'_> {
    fn terminal_output(&mut self, is_terminal: bool) -> Result<Option<Resource<TerminalOutput>>> {
        Ok(if is_terminal {
            Some(self.table.push(TerminalOutput(()))?)
        } else {
            None
        })
    }
}

impl terminal_stdout::Host for WasiCtxView<'_> {
    fn get_terminal_stdout(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
        let is_terminal = self.ctx.stdout.is_terminal();
        self.terminal_output(is_terminal)
    }
}

impl terminal_stderr::Host for WasiCtxView<'_> {
    fn get_terminal_stderr(&mut self) -> Result<Option<Resource<TerminalOutput>>> {
        let is_terminal = self.ctx.stderr.is_terminal();
        self.terminal_output(is_terminal)
    }
}
