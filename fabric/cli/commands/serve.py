"""``fabric serve``: the plan over HTTP, for browsers and Prometheus."""

from __future__ import annotations

from pathlib import Path

import click

from fabric.cli.answer import load, located, note
from fabric.cli.exit_codes import OK
from fabric.cli.interrupts import interruptible
from fabric.cli.monitoring import EXPORTERS
from fabric.cli.options import SCENARIO, FabricCommand, OneOf, Settings
from fabric.cli.watch import watching
from fabric.routing.names import router_names

SUMMARY = "Serve a plan over HTTP, read-only: predicted series for Prometheus, the report, health."
ORDER = 105
_DEFAULT = "127.0.0.1:9469"


@click.command("serve", cls=FabricCommand, takes=(*SCENARIO, "progress"))
@click.argument("scenario")
@click.option("--listen", default=_DEFAULT, show_default=True, metavar="HOST:PORT", help="Loopback unless said.")
@click.option("--profile", type=OneOf(lambda: EXPORTERS), default="snmp", help="Which devices report; snmp: switches.")
@click.option(
    "--names",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="CSV with node,instance or node,instance,port,interface, as exporters call them.",
)
@click.option("--router", type=OneOf(router_names), help="Instead of the scenario's router.")
def command(
    scenario: str, settings: Settings, listen: str, profile: str, names: Path | None, router: str | None
) -> int:
    """Route SCENARIO once, and answer with it until a signal ends it.

    /: the report. /metrics: the series of fabric export prometheus's plan.* files, limits and step times. /result.json:
    the answer of fabric route as JSON. /healthz: that it lives, and which inputs have changed since. Only GET and HEAD
    are answered, nothing is written. Exit code 0 after a signal; 3: bad input, or nothing listens there.
    """
    from fabric.faces.web.pages import pages_of
    from fabric.faces.web.server import PlanServer
    from fabric.operate.monitoring.files import MonitoringRequest
    from fabric.operate.monitoring.names_file import GivenNames, read_names
    from fabric.pipeline.run import run_scenario
    from fabric.request import RouteRequest

    host, port = _address(listen)
    request = MonitoringRequest(names=GivenNames() if names is None else read_names(names))
    loaded = load(scenario, settings)
    asked = RouteRequest(router=router, down=settings.down, up=settings.up, slow=settings.slow)
    with PlanServer(host, port, lambda text: note(text, settings) if settings.verbose else None) as server:
        with located(loaded, settings), watching(settings) as report:
            pages = pages_of(run_scenario(loaded, asked, progress=report, idle=True), profile, request)
        for text in pages.said:
            note(text, settings)
        server.open(pages)
        click.echo(f"http://{server.shown}/ and /metrics; a signal ends it", err=True)
        try:
            with interruptible():
                server.serve_forever(poll_interval=0.2)
        except KeyboardInterrupt:
            return OK
    return OK


def _address(text: str) -> tuple[str, int]:
    """Host and port of ``HOST:PORT``, ``[IPV6]:PORT`` or ``:PORT``, which is loopback too."""
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter(f"{text!r} is not HOST:PORT, such as {_DEFAULT} or [::1]:0", param_hint="--listen")
    return host.strip("[]") or "127.0.0.1", int(port)
