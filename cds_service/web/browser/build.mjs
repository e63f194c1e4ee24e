// Builds one file for each page in src/pages/ into ../static/, and the licences of everything of others in them.
import { readFileSync, readdirSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { build } from "esbuild";

const PAGES = "src/pages";
const STATIC = "../static";

const { metafile } = await build({
  entryPoints: readdirSync(PAGES).sort().map((name) => join(PAGES, name)),
  outdir: STATIC,
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  charset: "utf8",
  legalComments: "none",
  // fhirclient leaves its replacements for what old browsers lack out where this is defined.
  define: { FHIRCLIENT_PURE: "true" },
  metafile: true,
  logLevel: "info",
});

const folders = new Set(
  Object.values(metafile.outputs)
    .flatMap((output) => Object.keys(output.inputs))
    .map((path) => /^(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0])
    .filter((folder) => folder !== undefined),
);

writeFileSync(join(STATIC, "licenses.txt"), [...folders].sort().map(licenceOf).join("\n"));

function licenceOf(folder) {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (file === undefined) throw new Error(`${basename(folder)} has no licence file; look its terms up and add them here`);
  const text = readFileSync(join(folder, file), "utf8").replaceAll("\r\n", "\n").trim();
  return `${name} ${version} (${license})\n\n${text}\n\n`;
}
