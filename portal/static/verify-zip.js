// A zip as submissions/zip_reader.py takes it: one strict form, scanned before anything is unpacked.
(function () {
  "use strict";
  var levelfield = window.levelfield = window.levelfield || {};
  var layout = levelfield.layout;
  var LOCAL = 30, CENTRAL = 46, END = 22, MAX_RATIO = 200, HARMLESS = 0x0806, ALL = 0xffffffff;
  var FLAGS = [[1, "encrypted"], [8, "its size stands after its data (a data descriptor)"],
    [0x40, "encrypted"], [0x2000, "encrypted"]];
  var SHARED = ["version", "flags", "method", "time", "date", "crc", "packed", "size", "length"];

  function refuse(where, reason) { throw new Error(where + ": " + reason); }
  async function slice(blob, from, to) {
    return new Uint8Array(await blob.slice(from, to).arrayBuffer());
  }
  function view(data) { return new DataView(data.buffer, data.byteOffset, data.byteLength); }
  function latin(data) {
    return Array.from(data, function (byte) { return String.fromCharCode(byte); }).join("");
  }

  async function readDirectory(blob, where, most) {
    if (blob.size < END) { refuse(where, "not a zip: too short for one"); }
    var end = view(await slice(blob, blob.size - END, blob.size));
    var count = end.getUint16(10, true), size = end.getUint32(12, true);
    var start = end.getUint32(16, true);
    if (end.getUint32(0) !== 0x504b0506 || end.getUint16(20, true)) {
      refuse(where, "not a zip, or one with a comment or other bytes behind its end");
    }
    if (end.getUint32(4) || end.getUint16(8, true) !== count) { refuse(where, "a zip in several parts"); }
    if (count === 0xffff || size === ALL || start === ALL) { refuse(where, "a zip64, which no bundle needs"); }
    if (start + size !== blob.size - END) {
      refuse(where, "other bytes lie before its first entry, or before its end");
    }
    layout.checkLimits(where, 0, count, most);
    if (size > (most ? most.files : layout.maxFiles) * (CENTRAL + 200)) {
      refuse(where, "its directory is larger than its entries can need");
    }
    return { start: start, count: count, data: await slice(blob, start, start + size) };
  }

  // The fields that both headers of a file share; `at` is where they begin.
  function fields(data, at) {
    var found = {};
    SHARED.forEach(function (name, number) {
      found[name] = number < 5 ? data.getUint16(at + 2 * number, true)
        : number < 8 ? data.getUint32(at + 10 + 4 * (number - 5), true)
          : data.getUint16(at + 22, true);
    });
    return found;
  }
  function readEntry(directory, at, where) {
    if (directory.length - at < CENTRAL) { refuse(where, "its directory ends within an entry"); }
    var data = view(directory.subarray(at)), header = fields(data, 6);
    header.name = latin(directory.subarray(at + CENTRAL, at + CENTRAL + header.length));
    if (data.getUint32(0) !== 0x504b0102 || header.name.length !== header.length) {
      refuse(where, "its directory holds something else than entries");
    }
    layout.checkPath(header.name);
    if (data.getUint32(30) || data.getUint16(34, true)) {
      refuse(header.name, "an extra field, a comment or another disk in its entry");
    }
    checkKind(header.name, data.getUint16(4, true) >> 8, data.getUint32(38, true));
    header.offset = data.getUint32(42, true);
    header.next = at + CENTRAL + header.length;
    return header;
  }
  function checkKind(name, system, attributes) {
    var mode = system === 3 ? attributes >>> 16 : 0, kind = mode & 0xf000;
    if (kind === 0xa000) { refuse(name, "a symbolic link"); }
    if ((kind !== 0 && kind !== 0x8000) || attributes & 0x18) {
      refuse(name, "not a plain file (a folder, a device, a pipe or a socket)");
    }
    if (mode & 0xe00) { refuse(name, "a set-user-id, set-group-id or sticky bit"); }
  }
  function checkForm(header) {
    var name = header.name, flag = FLAGS.find(function (one) { return header.flags & one[0]; });
    if (flag) { refuse(name, flag[1]); }
    if (header.flags & ~HARMLESS) { refuse(name, "flags of unknown meaning"); }
    if (header.method !== 0 && header.method !== 8) {
      refuse(name, "compression method " + header.method + "; only stored and deflated are read");
    }
    if (header.packed === ALL || header.size === ALL) { refuse(name, "a zip64, which no bundle needs"); }
    layout.checkSize(name, header.size);
    if (header.size > MAX_RATIO * header.packed) {
      refuse(name, header.packed + " compressed bytes for " + header.size +
        "; one may stand for " + MAX_RATIO + " at most");
    }
    if (header.method === 0 && header.packed !== header.size) {
      refuse(name, "stored, yet with two different sizes");
    }
  }
  async function checkLocal(blob, header) {
    var data = await slice(blob, header.offset, header.offset + LOCAL + header.length);
    if (data.length !== LOCAL + header.length) { refuse(header.name, "the zip ends too early"); }
    var local = view(data), found = fields(local, 4);
    if (local.getUint32(0) !== 0x504b0304) { refuse(header.name, "no local header where the directory says"); }
    if (local.getUint16(28, true)) { refuse(header.name, "an extra field in its local header"); }
    found.name = latin(data.subarray(LOCAL));
    SHARED.concat("name").forEach(function (field) {
      if (found[field] !== header[field]) {
        refuse(header.name, "its local header has another " + field + " than the directory");
      }
    });
  }

  // Scans the zip in `blob`; the result has `sizes` and `read`, as a source of the verifier has.
  async function open(blob, where, most) {
    var directory = await readDirectory(blob, where, most), places = new Map(), reached = 0, total = 0;
    for (var at = 0; at < directory.data.length;) {
      var header = readEntry(directory.data, at, where);
      if (places.has(header.name)) { refuse(header.name, "two entries have this name"); }
      checkForm(header);
      total += header.size;
      layout.checkLimits(where, total, places.size + 1, most);
      if (header.offset < reached) { refuse(header.name, "overlaps another entry"); }
      if (header.offset > reached) {
        refuse(header.name, "other bytes lie before " + (reached ? "it" : "the first entry"));
      }
      await checkLocal(blob, header);
      reached = header.offset + LOCAL + header.length + header.packed;
      header.end = reached;
      places.set(header.name, header);
      at = header.next;
    }
    checkWhole(where, directory, places, reached);
    return { sizes: sizesOf(places), read: function (path) { return read(blob, places.get(path)); } };
  }
  function checkWhole(where, directory, places, reached) {
    if (places.size !== directory.count) {
      refuse(where, "its directory holds " + places.size + " entries, its end says " + directory.count);
    }
    if (reached > directory.start) { refuse(where, "its last entry overlaps the directory"); }
    if (reached < directory.start) { refuse(where, "other bytes lie before its directory"); }
    var paths = Array.from(places.keys());
    layout.checkDistinct(paths);
    paths.forEach(function (path) {
      path.split("/").slice(0, -1).forEach(function (_, at, parts) {
        var folder = parts.slice(0, at + 1).join("/");
        if (places.has(folder)) { refuse(folder, "a file and a folder at once"); }
      });
    });
  }
  function sizesOf(places) {
    var sizes = Object.create(null);
    places.forEach(function (header, path) { sizes[path] = header.size; });
    return sizes;
  }

  async function read(blob, header) {
    var packed = blob.slice(header.end - header.packed, header.end);
    var data = header.method === 0 ? new Uint8Array(await packed.arrayBuffer())
      : await inflate(packed, header);
    if (data.length !== header.size) {
      refuse(header.name, "its size differs: expected " + header.size + " bytes, found " +
        (data.length < header.size ? "only " + data.length : "more"));
    }
    if (crc(data) !== header.crc) { refuse(header.name, "its CRC differs from the one that the zip holds"); }
    return data;
  }
  // At most one byte more than the header says is kept, whatever the data unfold to.
  async function inflate(packed, header) {
    var reader = packed.stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
    var parts = [], length = 0;
    try {
      for (;;) {
        var step = await reader.read();
        if (step.done) { break; }
        parts.push(step.value);
        length += step.value.length;
        if (length > header.size) { reader.cancel(); break; }
      }
    } catch (error) {
      refuse(header.name, "its compressed data are damaged, or end elsewhere than the zip says");
    }
    return levelfield.bytes.join(parts);
  }
  var TABLE = Uint32Array.from({ length: 256 }, function (_, byte) {
    for (var bit = 0; bit < 8; bit += 1) { byte = byte & 1 ? byte >>> 1 ^ 0xedb88320 : byte >>> 1; }
    return byte;
  });
  function crc(data) {
    var found = ALL;
    for (var at = 0; at < data.length; at += 1) { found = TABLE[(found ^ data[at]) & 255] ^ found >>> 8; }
    return (found ^ ALL) >>> 0;
  }

  levelfield.zip = { open: open };
})();
