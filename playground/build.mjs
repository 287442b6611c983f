// Builds the playground into dist/, or with --check fails if dist/ is not up to date.
import { createHash } from 'node:crypto';
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { build } from 'vite';

const DIST = join(import.meta.dirname, 'dist');
const FONT_LICENSE = join(import.meta.dirname, 'node_modules/@fontsource/fira-code/LICENSE');
const MANIFEST = 'manifest.json';
const CONTENT_TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.md': 'text/markdown; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.ttf': 'font/ttf',
  '.woff2': 'font/woff2',
};

async function bundle() {
  const folder = mkdtempSync(join(tmpdir(), 'playground-'));
  try {
    await build({ root: import.meta.dirname, logLevel: 'warn', build: { outDir: folder, emptyOutDir: true } });
    // Vite lists the licences of code only.
    appendFileSync(join(folder, 'licenses.md'), `\n## Fira Code\n\n${readFileSync(FONT_LICENSE, 'utf8')}`);
    return new Map(
      readdirSync(folder)
        .sort()
        .map((path) => [path, readFileSync(join(folder, path))]),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function manifest(files) {
  const entries = [...files].map(([path, content]) => {
    const contentType = CONTENT_TYPES[extname(path)];
    if (!contentType) {
      throw new Error(`${path}: no content type is known for this kind of file`);
    }
    return { path, contentType, sha256: createHash('sha256').update(content).digest('hex') };
  });
  return JSON.stringify(entries, null, 2) + '\n';
}

function compress(content) {
  const compressed = gzipSync(content, { level: 9 });
  // The header's last byte names the operating system; 255 is "unknown".
  compressed[9] = 255;
  return compressed;
}

function write(files) {
  rmSync(DIST, { recursive: true, force: true });
  mkdirSync(DIST);
  for (const [path, content] of files) {
    writeFileSync(join(DIST, `${path}.gz`), compress(content));
  }
  writeFileSync(join(DIST, MANIFEST), manifest(files));
}

/** The files that differ. Contents are compared uncompressed, because versions of zlib compress differently. */
function differences(files) {
  const committed = new Map(readdirSync(DIST).map((name) => [name, readFileSync(join(DIST, name))]));
  const expected = new Map([...files].map(([path, content]) => [`${path}.gz`, content]));
  expected.set(MANIFEST, Buffer.from(manifest(files)));
  return [...new Set([...expected.keys(), ...committed.keys()])].filter((name) => {
    const content = committed.get(name);
    return !content || !expected.get(name)?.equals(name.endsWith('.gz') ? gunzipSync(content) : content);
  });
}

const files = await bundle();
if (process.argv.includes('--check')) {
  const stale = differences(files);
  if (stale.length > 0) {
    console.error(`dist/ is not up to date; run "npm run build". Different: ${stale.join(', ')}`);
    process.exit(1);
  }
  console.log(`ok ${files.size} files`);
} else {
  write(files);
}
