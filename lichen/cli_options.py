"""The options that commands share: where the house is, and how it is set."""

import functools
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from lichen.kit.config import PROFILES, Config

R = TypeVar("R")


def configured(*names: str) -> Callable[[Callable[..., R]], Callable[..., R]]:
    """Give a command --data, --config, --profile and the named options, and hand it a Config."""
    given = {
        "host": click.option("--host", metavar="ADDR", help="Address to listen on."),
        "port": click.option("--port", type=int, metavar="N", help="Port for pages and APIs."),
        "stream_port": click.option(
            "--stream-port", type=int, metavar="N", help="Port of the public stream; 0: none."),
        "metrics_port": click.option(
            "--metrics-port", type=int, metavar="N", help="Port of the metrics; 0: none."),
        "data": click.option(
            "--data", type=click.Path(path_type=Path), metavar="DIR", help="The data folder."),
        "profile": click.option(
            "--profile", type=click.Choice(list(PROFILES)), help="A set of defaults."),
    }
    wanted = ("data", "profile", *names)

    def decorate(command: Callable[..., R]) -> Callable[..., R]:
        @functools.wraps(command)
        def with_config(*args: Any, config_file: Path | None, **rest: Any) -> R:
            words = {f"server.{name}": rest.pop(name) for name in wanted}
            return command(*args, load(config_file, words), **rest)

        decorated: Callable[..., R] = click.option(
            "--config", "config_file", type=click.Path(path_type=Path), metavar="FILE",
            help="Configuration file; lichen.toml in the data folder by default.")(with_config)
        for name in reversed(wanted):
            decorated = given[name](decorated)
        return decorated

    return decorate


def load(config_file: Path | None, words: Mapping[str, object]) -> Config:
    """Return the configuration from the file, this process's environment and the words given."""
    spoken = {name: value for name, value in words.items() if value is not None}
    return Config.load(config_file, os.environ, words=spoken)
