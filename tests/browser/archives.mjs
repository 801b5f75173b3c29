// Archives made of what a test says: a tar as ustar, with sample packages, with large ones, with hostile ones.

import { readFileSync, readdirSync, statSync, openSync, writeSync, closeSync } from "node:fs";
import { randomBytes } from "node:crypto";
import { join } from "node:path";

const BLOCK = 512;

function header(path, bytes) {
  const block = Buffer.alloc(BLOCK);
  const cut = path.length > 100 ? path.lastIndexOf("/", 154) : -1;
  if (Buffer.byteLength(path.slice(cut + 1)) > 100) throw new Error(`${path} is too long for a tar`);
  block.write(path.slice(cut + 1), 0);
  if (cut > 0) block.write(path.slice(0, cut), 345);
  const octal = (value, at, width) => block.write(value.toString(8).padStart(width - 1, "0"), at);
  octal(0o644, 100, 8);
  octal(0, 108, 8);
  octal(0, 116, 8);
  octal(bytes, 124, 12);
  octal(1667289600, 136, 12);
  block.write("        ", 148);
  block.write("0", 156);
  block.write("ustar\x0000", 257, "latin1");
  octal(block.reduce((sum, byte) => sum + byte, 0), 148, 7);
  return block;
}

// Writes a tar of [path, content] to a file, piece by piece: what is large is not held twice.
export function writeTar(file, members) {
  const to = openSync(file, "w");
  for (const [path, content] of members) {
    const bytes = Buffer.from(content);
    writeSync(to, header(path, bytes.length));
    writeSync(to, bytes);
    writeSync(to, Buffer.alloc((BLOCK - (bytes.length % BLOCK)) % BLOCK));
  }
  writeSync(to, Buffer.alloc(2 * BLOCK));
  closeSync(to);
  return file;
}

// Returns the members of a folder, below `prefix`.
export function membersOf(folder, prefix = "") {
  const members = [];
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) members.push(...membersOf(path, `${prefix}${name}/`));
    else members.push([`${prefix}${name}`, readFileSync(path)]);
  }
  return members;
}

// Returns the members of a package with sensible files; `manifest` are lines of it, `files` more files.
export function packageMembers(name, version, manifest = "", files = {}) {
  const lines = `format_version: 1.0.0\nname: ${name}\nversion: ${version}\ntype: integration\nowner:\n  github: harbour/keepers\n${manifest}`;
  const defaults = {
    title: name,
    description: `What ${name} is for.`,
    categories: "[custom]",
  };
  const rest = Object.entries(defaults).filter(([key]) => !manifest.includes(`${key}:`)).map(([key, value]) => `${key}: ${value}\n`).join("");
  const all = { "manifest.yml": lines + rest, "docs/README.md": `# ${name}\n`, ...files };
  return Object.entries(all).map(([path, content]) => [`packages/${name}/${version}/${path}`, content]);
}

// Returns the members of a package that no compression makes smaller, of `count` files of `bytes` bytes.
export function largePackage(name, version, count, bytes) {
  const files = {};
  for (let number = 1; number <= count; number += 1) files[`img/chart-${number}.png`] = randomBytes(bytes);
  return packageMembers(name, version, "", files);
}
