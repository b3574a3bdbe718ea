"""``tinyhar bench``: grids and their tables, compression, costs on a device; one file a command."""

from __future__ import annotations

import typer

from tinyhar.cli.bench import compression, device, kernels, run, table

app = typer.Typer(rich_markup_mode="rich")
app.callback(invoke_without_command=True)(run.bench)
app.command("table")(table.table)
app.command("device")(device.device)
app.command("kernels")(kernels.kernels)
app.command("compression")(compression.compression)
