"""``levelfield zip``: a bundle as one file, for transport."""

from pathlib import Path

import click

from harness.commands.options import as_json, bundle_argument, emit, example


@click.command(
    "zip", epilog=example("levelfield zip bundles/1", "levelfield zip bundles/1 --out acme.zip")
)
@bundle_argument
@click.option("--out", type=click.Path(path_type=Path), help="New file  [default: BUNDLE.zip]")
@as_json
def zip_(bundle: Path, out: Path | None, to_json: bool) -> None:
    """Write a bundle as a zip, signatures too: check, verify and publish read it as it is.

    The same bundle gives the same zip. What is signed is the bundle, never its zip.
    """
    from submissions.bundle import Bundle
    from submissions.zip_writer import write_zip

    opened = Bundle.open(bundle, logs=False)
    out = out or bundle.with_name(f"{bundle.resolve().name}.zip")
    write_zip(opened, out)
    if to_json:
        emit({"bundle": opened.id, "zip": str(out), "bytes": out.stat().st_size})
    else:
        click.echo(f"bundle {opened.id} in {out}, {out.stat().st_size:,} bytes")
