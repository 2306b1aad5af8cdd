// Every file of a bundle against its manifest, and the claims that its records make.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var json = levelfield.json, layout = levelfield.layout, bytes = levelfield.bytes;
  var shape = json.shape;
  var RECORD = 262144, LIMITS = {
    system: 1048576, result: RECORD, search: RECORD, run: RECORD, intents: 4194304
  };
  var LINES = ["telemetry", "answers", "intents"];
  var PARSED = /^(system\.json$|intents\.jsonl$|results\/)/;
  var name = shape.text(/^[a-z0-9][a-z0-9_.-]{0,63}$/);
  var RESULT = shape.record({
    schema: shape.oneOf(["levelfield/result/v1"]), workload: name, scenario: name, division: name,
    metric: name, runs: shape.list(name),
    value: shape.orNull(function (value) { return typeof value === "number" ? "" : "not a number"; })
  }, ["schema"]);

  function checkManifest(data) {
    var manifest = json.read(data, "manifest.json", levelfield.records.manifest, true);
    var paths = manifest.files.map(function (file) { return file.path; });
    paths.forEach(function (path, at) {
      if (at && paths[at - 1] > path) { throw new Error("manifest.json: its files are not sorted by path"); }
      if (at && paths[at - 1] === path) { throw new Error("manifest.json: it names a file twice"); }
    });
    manifest.files.forEach(function (file) {
      layout.checkPath(file.path);
      if (layout.roleOf(file.path) !== file.role) {
        throw new Error("manifest.json: " + file.path + " has the role " + file.role.slice(0, 40) +
          ", which that file cannot have");
      }
    });
    layout.checkDistinct(paths);
    return manifest;
  }
  function checkPresence(manifest, found) {
    var listed = new Set(manifest.files.map(function (file) { return file.path; }));
    listed.forEach(function (path) {
      if (!found.has(path)) { throw new Error(path + ": missing, though the manifest lists it"); }
    });
    found.forEach(function (path) {
      if (!listed.has(path) && path !== "manifest.json" && !layout.attestation(path)) {
        throw new Error(path + ": additional, the manifest does not list it");
      }
    });
  }

  // One file: size, digest, and that a record is strict JSON. The bytes hashed are those parsed.
  async function checkFile(file, data) {
    if (data.length !== file.size) {
      throw new Error(file.path + ": its size differs: expected " + file.size + " bytes, found " +
        (data.length < file.size ? "only " + data.length : "more"));
    }
    if (await bytes.sha256(data) !== file.sha256) {
      throw new Error(file.path + ": its SHA-256 differs from the manifest's; " +
        "the file was changed after packing");
    }
    if (!PARSED.test(file.path)) { return null; }
    if (file.size > LIMITS[file.role]) {
      throw new Error(file.path + ": larger than " + LIMITS[file.role] + " bytes, as no such record is");
    }
    if (LINES.indexOf(file.role) >= 0) { return checkLines(file.path, data); }
    return file.role in LIMITS ? json.parse(data, file.path) : null;
  }
  async function checkLines(where, data) {
    for (var at = 0, number = 1; at < data.length; number += 1) {
      var end = data.indexOf(10, at);
      end = end < 0 ? data.length : end;
      // A lone carriage return ends a line as well.
      var line = data.subarray(at, data[end - 1] === 13 && end > at ? end - 1 : end);
      var stop = line.indexOf(13);
      if (stop >= 0) { end = at + stop; line = line.subarray(0, stop); }
      json.parse(line, where + ":" + number);
      at = end + 1;
      // A log may have a million lines; the page stays alive meanwhile.
      if (number % 20000 === 0) { await new Promise(function (done) { setTimeout(done); }); }
    }
    return null;
  }

  // The results that the records claim; `records` are parsed, by path.
  function readEntries(manifest, records) {
    var paths = manifest.files.map(function (file) { return file.path; });
    if (paths.indexOf("system.json") < 0) { throw new Error("system.json: not in the manifest"); }
    var folders = new Set(paths.filter(function (path) { return /^results\//.test(path); })
      .map(function (path) { return path.split("/").slice(0, 3).join("/"); }));
    return Array.from(folders).sort().map(function (folder) {
      return readEntry(folder, paths.filter(function (path) {
        return path.indexOf(folder + "/") === 0;
      }), records);
    });
  }
  function readEntry(folder, inside, records) {
    var where = folder + "/result.json", result = records.get(where);
    if (inside.indexOf(where) < 0) { throw new Error(where + ": not in the manifest, though runs are"); }
    var reason = RESULT(result);
    if (reason) { throw new Error(where + ": " + reason); }
    if (folder !== "results/" + result.workload + "/" + result.scenario) {
      throw new Error(where + ": speaks of another workload or scenario than its folder");
    }
    var present = new Set(inside.map(function (path) { return path.split("/"); })
      .filter(function (parts) { return parts.length === 5; })
      .map(function (parts) { return parts[3]; }));
    checkClaimed(where, result.runs, present);
    return { result: result, runs: result.runs.map(function (run) {
      return readRun(folder + "/" + run, inside, records);
    }) };
  }
  function checkClaimed(where, runs, present) {
    runs.forEach(function (run) {
      if (!present.has(run)) { throw new Error(where + ": claims the run " + run + ", which is missing"); }
    });
    present.forEach(function (run) {
      if (runs.indexOf(run) < 0) {
        throw new Error(where + ": does not claim the run " + run + ", which is there");
      }
    });
    if (new Set(runs).size !== runs.length) { throw new Error(where + ": claims a run twice"); }
  }
  function readRun(folder, inside, records) {
    var where = folder + "/run.json", run = records.get(where), parts = folder.split("/");
    if (inside.indexOf(where) < 0) { throw new Error(where + ": missing; a run folder needs its record"); }
    if (!run || typeof run !== "object" || shape.text(/^[0-9a-f]{64}$/)(run.workload_sha256)) {
      throw new Error(where + ": not a run's record");
    }
    var held = inside.filter(function (path) { return path.indexOf(folder + "/") === 0; })
      .map(function (path) { return path.slice(folder.length + 1); });
    var expected = layout.filesOf(run);
    expected.forEach(function (file) {
      if (held.indexOf(file) < 0) { throw new Error(folder + "/" + file + ": missing; such a run needs it"); }
    });
    held.forEach(function (file) {
      if (expected.indexOf(file) < 0) { throw new Error(folder + "/" + file + ": such a run has no such file"); }
    });
    if (parts[1] !== run.workload || parts[2] !== run.scenario) {
      throw new Error(where + ": speaks of another workload or scenario than its folder");
    }
    return run;
  }

  // What the submitter's statement must say of these entries.
  function claimsOf(entries) {
    return entries.map(function (entry) {
      var result = entry.result;
      return {
        division: result.division, metric: result.metric, scenario: result.scenario,
        value: result.value === null ? null : decimal(result.value), workload: result.workload,
        workload_sha256: Array.from(new Set(entry.runs.map(function (run) {
          return run.workload_sha256;
        }))).sort()
      };
    });
  }
  // The shortest decimal that reads back as `value`, without an exponent, as Python writes it.
  function decimal(value) {
    var parts = /^(-?)([0-9])(?:\.([0-9]+))?e([+-][0-9]+)$/.exec(value.toExponential());
    var digits = parts[2] + (parts[3] || ""), point = Number(parts[4]) + 1;
    if (point <= 0) { return parts[1] + "0." + "0".repeat(-point) + digits; }
    if (point < digits.length) {
      return parts[1] + digits.slice(0, point) + "." + digits.slice(point);
    }
    return parts[1] + digits.padEnd(point, "0") + (point <= 16 ? ".0" : "");
  }

  levelfield.content = {
    checkManifest: checkManifest, checkPresence: checkPresence, checkFile: checkFile,
    readEntries: readEntries, claimsOf: claimsOf, decimal: decimal
  };
})();
