"""What doctor says of sources and limits."""

from harness.diagnosis import findings
from harness.telemetry.sampler import Presence


def test_sources_limits_and_doubts_are_told_in_one_look() -> None:
    sources = [
        Presence("host", True, "processors"),
        Presence("rapl", False, "permission denied", "sudo chmod a+r it"),
        Presence("nvml", False, "no driver", "install it"),
        Presence("gpm", False, "no driver", "install it"),
    ]
    assert findings(sources, {"memory_limit_bytes": 4096}, ["no name"]) == [
        "telemetry",
        "  host     yes processors",
        "  rapl     no  permission denied",
        "               sudo chmod a+r it",
        "  nvml     no  no driver",
        "               install it",
        "  gpm      no  no driver",
        "limits in force",
        "  memory_limit_bytes     4,096",
        "doubt: no name",
    ]


def test_no_limit_is_said() -> None:
    assert "limits in force: none" in findings([], {}, [])
