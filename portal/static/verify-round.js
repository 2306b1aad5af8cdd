// A round's log as the site lays it out for this verifier, or as the zip that anybody can download.
// Both come to the same: its checkpoint, its keyring, and every entry with its envelope.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var bytes = levelfield.bytes, json = levelfield.json, records = levelfield.records;
  var MOST = { files: 60000, total: 268435456 }, MAX_SCRIPT = 67108864, WIDTH = 256;
  var MAX_FILE = 4194304, MAX_ENTRIES = 20000, AT_ONCE = 500;
  var COMMAND = "; the command line replays it: levelfield review status";

  function fromScript(text, where) {
    if (typeof text !== "string" || text.length > MAX_SCRIPT) {
      throw new Error(where + ": no log, or one larger than " + MAX_SCRIPT + " bytes" + COMMAND);
    }
    var data = json.parse(bytes.ofText(text), where), reason = records.roundLog(data);
    if (reason) { throw new Error(where + ": " + reason); }
    checkCount(data.entries.length, where);
    return {
      round: data.round, checkpoint: data.checkpoint, doubted: data.doubted,
      keyring: decoded(data.keyring, where + ": its keyring"),
      signatures: decoded(data.signatures, where + ": its keyring’s signatures"),
      entries: data.entries.map(function (one) { return one.entry; }),
      envelopes: data.entries.map(function (one, index) {
        return decoded(one.envelope, where + ": entry " + index);
      })
    };
  }
  function decoded(text, where) { return text === null ? null : bytes.ofBase64(text, where); }
  function checkCount(count, where) {
    if (count > MAX_ENTRIES) {
      throw new Error(where + ": " + count + " entries; a browser replays " + MAX_ENTRIES + " at most" +
        COMMAND);
    }
  }

  // The zip of a round's log, as the site has it beside the log's page.
  async function fromZip(blob, where) {
    if (blob.size > MOST.total) { throw new Error(where + ": more than " + MOST.total + " bytes in all"); }
    var zip = await levelfield.zip.open(inMemory(new Uint8Array(await blob.arrayBuffer())), where, MOST);
    var begin = Object.keys(zip.sizes).map(function (path) {
      return /^([^/]+\/)?round\.json$/.exec(path);
    }).find(Boolean);
    if (!begin) { throw new Error(where + ": holds no round.json, so it is no round’s log"); }
    var folder = begin[1] || "";
    async function read(path) {
      if (!(folder + path in zip.sizes)) { return null; }
      if (zip.sizes[folder + path] > MAX_FILE) { throw new Error(where + ": " + path + " is too large"); }
      return zip.read(folder + path);
    }
    var info = json.read(await read("round.json"), where + ": round.json", records.round);
    var held = { round: info.round, origin: info.origin, doubted: Object.create(null) };
    held.checkpoint = bytes.toText(await needed(read, "log/checkpoint", where));
    held.keyring = await needed(read, "keyring.json", where);
    held.signatures = await read("keyring.dsse.json");
    held.entries = await entriesOf(read, levelfield.log.readNote(held.checkpoint, where).size, where);
    held.envelopes = [];
    for (var at = 0; at < held.entries.length; at += AT_ONCE) {
      held.envelopes = held.envelopes.concat(
        await Promise.all(held.entries.slice(at, at + AT_ONCE).map(function (entry) {
          return entry.kind === "commit" ? null : read("events/" + entry.envelope + ".dsse.json");
        })));
    }
    return held;
  }
  // As much of a Blob as the zip's reader needs, without a trip to the disk for each of its files.
  function inMemory(data) {
    return {
      size: data.length,
      slice: function (from, to) {
        var part = data.subarray(from, to);
        return {
          arrayBuffer: async function () { return part.slice().buffer; },
          stream: function () { return new Response(part).body; }
        };
      }
    };
  }
  async function needed(read, path, where) {
    var data = await read(path);
    if (!data) { throw new Error(where + ": holds no " + path); }
    return data;
  }
  // Entries as they lie in bundles of 256, each after its length in two bytes (C2SP tlog-tiles).
  async function entriesOf(read, size, where) {
    checkCount(size, where);
    var found = [];
    for (var number = 0; number * WIDTH < size; number += 1) {
      var width = Math.min(size - number * WIDTH, WIDTH), path = tilePath(number, width);
      var data = await needed(read, path, where), first = found.length;
      for (var at = 0; at < data.length && found.length - first < width;) {
        var end = at + 2 + (data[at] << 8 | data[at + 1]);
        found.push(json.read(data.subarray(at + 2, end), where + ": entry " + found.length,
          records.entry, true));
        at = end;
      }
      if (at !== data.length || found.length - first !== width) {
        throw new Error(where + ": " + path + " does not hold " + width + " whole entries");
      }
    }
    return found;
  }
  // At most 20,000 entries: the number has never more than three digits.
  function tilePath(number, width) {
    return "log/tile/entries/" + String(number).padStart(3, "0") + (width < WIDTH ? ".p/" + width : "");
  }

  levelfield.logs = levelfield.logs || {};
  levelfield.round = { fromScript: fromScript, fromZip: fromZip };
})();
