"""The command ``completion``."""

import click

from wheelrelay.cli.options import common_options

PROGRAMS = ("wheelrelay", "wheel-uploader")


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@common_options
def completion(shell: str) -> None:
    """Print a shell completion script.

    Completes the commands and options of wheelrelay and wheel-uploader, and the remotes and routes of the
    configuration. Does not use the network. To enable it, add one of these lines to ~/.bashrc, ~/.zshrc
    (after compinit) or ~/.config/fish/config.fish:

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

    completion_class = get_completion_class(shell)
    assert completion_class is not None
    for program in PROGRAMS:
        variable = f"_{program}_complete".replace("-", "_").upper()
        # The script runs the program itself to get the values, so an empty command is enough here.
        click.echo(completion_class(click.Command(program), {}, program, variable).source())
