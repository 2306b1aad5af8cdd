"""When a statement was made: its place in a round's log, and whether its keys counted there."""

from collections.abc import Sequence

from submissions.envelope import VerificationError
from submissions.keys import KeyEntry
from submissions.log_entry import LogEntry
from submissions.vouchers import Voucher


def check_time(
    vouchers: tuple[Voucher, ...], bundle_id: str, logged: Sequence[LogEntry] | None
) -> None:
    """Steps 9 and 10 of `attestation.verify`: each statement is looked up in the verified log.

    Without a log the keys must be active now. `VerificationError` for a statement that is not in
    the log, or is there for another bundle, and for a key that did not count at that place.
    """
    if logged is None:
        for voucher in vouchers:
            for entry in voucher.signed_by:
                _check_active(entry, voucher.path)
        return
    places = {entry.envelope: (index, entry) for index, entry in enumerate(logged)}
    dated = {voucher.payload for voucher in vouchers if voucher.sha256 in places}
    for voucher in vouchers:
        if voucher.payload in dated and not voucher.enveloped:
            # The log holds envelopes only: the same statement is there, this signature is not.
            for entry in voucher.signed_by:
                _check_active(entry, voucher.path)
            continue
        if voucher.sha256 not in places:
            raise VerificationError(
                f"{voucher.path}: not in the round's log; hand it in before you rely on it"
            )
        index, leaf = places[voucher.sha256]
        if leaf.subject not in (bundle_id, None):
            raise VerificationError(f"{voucher.path}: logged at {index} for another bundle")
        _check_counting(voucher, index)


def _check_counting(voucher: Voucher, index: int) -> None:
    for entry in voucher.signed_by:
        if not entry.counts_at(index):
            raise VerificationError(
                f"{voucher.path}: entry {index} of the log, but the key of "
                f"{entry.organisation} counts {_life(entry)}; sign with a key that counts"
            )


def _check_active(entry: KeyEntry, where: str) -> None:
    if entry.status != "active":
        raise VerificationError(
            f"{where}: the key of {entry.organisation} was {entry.status}; only a round's log "
            "can tell whether it signed before that, verify with --log"
        )


def _life(entry: KeyEntry) -> str:
    until = "" if entry.to_index is None else f" and before entry {entry.to_index}"
    return f"from entry {entry.from_index}{until} ({entry.status})"
