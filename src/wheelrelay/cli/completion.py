"""``completion``: let a shell complete commands, options, remotes and routes."""

import click

from wheelrelay.cli.options import common

PROGRAMS = ("wheelrelay", "wheel-uploader")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common
def completion(shell: str) -> None:
    """Print what makes a SHELL complete what is typed.

    Commands and options of wheelrelay and wheel-uploader are completed, and the names of the remotes and
    routes in the configuration that lies nearest. Nothing is asked over the network. To switch it on, write
    one of these lines where your shell reads it when it starts, as ~/.bashrc, ~/.zshrc (after compinit) or
    ~/.config/fish/config.fish:

    \b
      eval "$(wheelrelay completion bash)"
      eval "$(wheelrelay completion zsh)"
      wheelrelay completion fish | source

    \b
    Examples:
      wheelrelay completion bash
      wheelrelay completion zsh > ~/.wheelrelay-completion.zsh
    """
    from click.shell_completion import get_completion_class

    kind = get_completion_class(shell)
    assert kind is not None
    for program in PROGRAMS:
        variable = f"_{program}_complete".replace("-", "_").upper()
        asked_later = click.Command(program)  # the script has the program itself say what there is
        click.echo(kind(asked_later, {}, program, variable).source())
