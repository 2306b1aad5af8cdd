// Which paths may be in a bundle, as submissions/layout.py and scan.py have them, and the limits.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var MAX_FILE = 64 * 1048576, MAX_TOTAL = 1073741824, MAX_FILES = 4000, DEEPEST = 5;
  var DEVICE = /^(con|prn|aux|nul|com[0-9]|lpt[0-9])(\.|$)/i;
  var ATTESTATION = new RegExp("^attestations/(?:([0-9a-f]{16})\\.(?:dsse|statement)\\.json|" +
    "[0-9a-f]{16}\\.([0-9a-f]{16})\\.sshsig)$");
  var RUN_FILES = {
    "run.json": "run", "events.log": "events", "telemetry.jsonl": "telemetry",
    "queries.npy": "queries", "answers.jsonl": "answers", "output.txt": "output"
  };
  var ROLES = [
    [/^system\.json$/, "system"], [/^intents\.jsonl$/, "intents"],
    [/^official\/system\.json$/, "official"],
    [/^official\/[a-z0-9][a-z0-9_.-]{0,63}\.scaling\.json$/, "official"],
    [/^replication\.json$/, "replication"],
    [/^results\/[^/]*\/[^/]*\/result\.json$/, "result"],
    [/^results\/[^/]*\/[^/]*\/search\.json$/, "search"]
  ];
  var IN_RUN = /^(?:further\/run_[0-9]{1,3}|results\/[^/]*\/[^/]*\/[^/]*)\/([^/]+)$/;

  function against(segment) {
    if (segment === "" || segment === "." || segment === "..") {
      return "absolute, or with an empty or dotted part";
    }
    if (!/^[A-Za-z0-9._-]+$/.test(segment)) { return "characters other than A-Z a-z 0-9 . _ -"; }
    if (segment.length > 100) { return "a part longer than 100 characters"; }
    if (/^[.-]/.test(segment)) { return "a part that begins with a dot or a dash"; }
    if (/\.$/.test(segment)) { return "a part that ends with a dot"; }
    return DEVICE.test(segment) ? "a name that Windows reserves for a device" : "";
  }
  function checkPath(path) {
    var reason = path.length > 200 ? "longer than 200 characters"
      : path.split("/").map(against).find(Boolean);
    if (reason) { throw new Error(shown(path) + ": refused as a path: " + reason); }
  }
  function shown(path) { return JSON.stringify(path).replace(/[^ -~]/g, "?").slice(0, 240); }

  // Refuse what a file system that ignores case would merge.
  function checkDistinct(paths) {
    var seen = new Map();
    paths.forEach(function (path) {
      path.split("/").forEach(function (_, at, parts) {
        var part = parts.slice(0, at + 1).join("/"), low = part.toLowerCase();
        if (!seen.has(low)) { seen.set(low, part); }
        if (seen.get(low) !== part) {
          throw new Error(shown(path) + ": refused as a path: differs from " + shown(seen.get(low)) +
            " only in upper and lower case");
        }
      });
    });
  }
  function roleOf(path) {
    var found = ROLES.find(function (one) { return one[0].test(path); }), inRun = IN_RUN.exec(path);
    if (found) { return found[1]; }
    if (inRun && Object.prototype.hasOwnProperty.call(RUN_FILES, inRun[1])) {
      return RUN_FILES[inRun[1]];
    }
    throw new Error(shown(path) + ": no such file belongs in a bundle");
  }
  // Those of a bundle, unless `most` says others.
  function checkLimits(where, total, files, most) {
    var limits = most || { total: MAX_TOTAL, files: MAX_FILES };
    if (total > limits.total) { throw new Error(where + ": more than " + limits.total + " bytes in all"); }
    if (files > limits.files) { throw new Error(where + ": more than " + limits.files + " files"); }
  }
  function checkSize(path, size) {
    if (size > MAX_FILE) {
      throw new Error(path + ": " + size + " bytes; a file may have " + MAX_FILE);
    }
  }
  function checkSizes(sizes) {
    var paths = Object.keys(sizes), total = 0;
    paths.forEach(function (path) {
      checkSize(shown(path), sizes[path]);
      total += sizes[path];
    });
    checkLimits("the bundle", total, paths.length);
  }
  function checkPaths(paths) {
    paths.sort().forEach(function (path) {
      checkPath(path);
      if (path.split("/").length > DEEPEST) { throw new Error(path + ": too many or too deep folders"); }
    });
  }
  // Exactly the files that a run of this mode leaves in its folder.
  function filesOf(run) {
    var names = ["run.json", "events.log", "telemetry.jsonl"];
    if (run.mode !== "training") { names.push("queries.npy"); }
    if (run.mode === "accuracy" || run.audit === "sampled_answers" || run.audit === "tokens") {
      names.push("answers.jsonl");
    }
    if (run.command !== undefined && run.command !== null) { names.push("output.txt"); }
    return names.sort();
  }

  levelfield.layout = {
    checkPath: checkPath, checkPaths: checkPaths, checkDistinct: checkDistinct,
    checkLimits: checkLimits, checkSize: checkSize, checkSizes: checkSizes, roleOf: roleOf,
    filesOf: filesOf,
    attestation: function (path) { return ATTESTATION.exec(path); }, maxFiles: MAX_FILES
  };
})();
