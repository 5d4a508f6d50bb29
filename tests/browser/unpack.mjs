// Unpacks the Chromium that the npm package @sparticuz/chromium carries, with the libraries and the font it needs.
import { fileURLToPath } from "node:url";

const [folder] = process.argv.slice(2);
process.env.TMPDIR = folder; // where the package unpacks to
const { inflate } = await import("@sparticuz/chromium");
const archive = (name) => fileURLToPath(new URL(`../bin/${name}`, import.meta.resolve("@sparticuz/chromium")));
for (const name of ["chromium.br", "al2023.tar.br", "fonts.tar.br"]) await inflate(archive(name));
