// URLs that client libraries of npm write, each with the size that its options ask for: a list in JSON.
// `node urls_of_npm.mjs ADDRESS KEY SALT SECRET`: of the server, and those of imgproxy (hex digits) and thumbor.
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { transformUrl } from "unpic";

const require = createRequire(import.meta.url);
const inside = (file) => import(pathToFileURL(require.resolve(file)));
const { generateImageUrl } = require("@imgproxy/imgproxy-node");
const ThumborUrlBuilder = require("thumbor-url-builder");
const [address, key, salt, secret] = process.argv.slice(2);
const found = [];
const add = (client, url, size, type = "image/jpeg") => found.push({ client, url, size, type });

// ------------------------------------------------------------------------------------------- imgproxy-node
const imgproxy = (size, source, options, type, more = {}) => {
  const url = more.plain ? { value: `local:///${source}`, displayAs: "plain" } : `local:///${source}`;
  const unsigned = more.unsigned ? { endpoint: `${address}/open`, key: "", salt: "" } : {};
  add("@imgproxy/imgproxy-node", generateImageUrl({ endpoint: address, url, options, key, salt, ...unsigned }), size, type);
};
for (const plain of [false, true]) {
  imgproxy([300, 200], "landscape.jpg", { resizing_type: "fit", width: 300, height: 200, format: "webp" }, "image/webp", { plain });
  imgproxy([100, 150], "portrait.jpg", { width: 100 }, "image/jpeg", { plain });
  imgproxy([200, 200], "nested/deep/photo.jpg", { resizing_type: "fill", width: 200, height: 200 }, "image/jpeg", { plain });
}
imgproxy([300, 200], "small.jpg", { resize: { resizing_type: "fill", width: 300, height: 200, enlarge: true }, gravity: { type: "noea" } });
imgproxy([120, 80], "small.jpg", { resize: { resizing_type: "fit", width: 300, height: 200 } });
imgproxy([80, 80], "small.jpg", { resizing_type: "fill-down", width: 300, height: 300 });
imgproxy([250, 90], "landscape.jpg", { resizing_type: "force", width: 250, height: 90 });
imgproxy([200, 150], "landscape.jpg", { resizing_type: "auto", width: 200, height: 150 });
imgproxy([150, 100], "landscape.jpg", { size: { width: 150, height: 0 }, quality: 40, max_bytes: 9000 });
imgproxy([400, 400], "landscape.jpg", { resizing_type: "fill", width: 200, height: 200, dpr: 2, gravity: { type: "fp", x: 0.3, y: 0.4 } });
imgproxy([200, 300], "landscape.jpg", { width: 200, rotate: 90, blur: 1, sharpen: 1 });
imgproxy([320, 260], "landscape.jpg", { width: 300, padding: { top: 20, right: 10, bottom: 40, left: 10 }, background: "ff0000" });
imgproxy([300, 200], "framed.png", { trim: { threshold: 10 } }, "image/png");
imgproxy([300, 300], "landscape.jpg", { resizing_type: "fit", width: 300, height: 300, extend: { extend: true, gravity: { type: "so" } } });
imgproxy([400, 300], "landscape.jpg", { crop: { width: 400, height: 300, gravity: { type: "nowe" } } });
imgproxy([100, 75], "landscape.jpg", { crop: { width: 400, height: 300, gravity: { type: "soea" } }, width: 100 });
imgproxy([150, 100], "alpha.png", { width: 300, zoom: 0.5, format: "jpg", background: { r: 9, g: 99, b: 199 } });
imgproxy([90, 90], "medium.jpg", { resizing_type: "fill", width: 90, height: 90, gravity: { type: "sm" }, format: "avif" }, "image/avif");
imgproxy([200, 150], "landscape.jpg", { preset: ["card", "soft"], cachebuster: "v2", filename: { name: "photo" } }, "image/webp");
imgproxy([100, 67], "landscape.jpg", { width: 100, expires: 4102444800, strip_metadata: true, return_attachment: true });
imgproxy([100, 67], "landscape.jpg", { width: 100, watermark: { opacity: 0.5, position: "soea" }, format_quality: [{ format: "jpg", quality: 60 }] });
imgproxy([100, 67], "moving.gif", { width: 100 }, "image/gif");
imgproxy([100, 67], "späce näme ü.jpg", { width: 100 });
imgproxy([100, 67], "a@b.jpg", { width: 100 });
imgproxy([200, 200], "landscape.jpg", { resizing_type: "fill", width: 200, height: 200 }, "image/jpeg", { unsigned: true });

// -------------------------------------------------------------------------------------------- @nuxt/image
const { createImage } = await import("@nuxt/image/runtime");
const providers = {};
for (const name of ["ipx", "imgproxy"]) {
  const setup = (await import(`@nuxt/image/runtime/providers/${name}`)).default;
  const defaults = name === "ipx" ? { baseURL: `${address}/_ipx` } : { baseURL: address, key, salt };
  providers[name] = { setup, defaults };
}
const $img = createImage({
  providers, provider: "ipx", presets: { avatar: { modifiers: { width: 60, height: 60, fit: "cover" } } },
  screens: { sm: 640, md: 768 }, densities: [1, 2], alias: {}, domains: [], nuxt: { baseURL: "/" },
});
const nuxt = (size, source, modifiers, type, options = {}) => add("@nuxt/image", $img(source, modifiers, options), size, type);
nuxt([300, 200], "/landscape.jpg", { width: 300, format: "webp" }, "image/webp");
nuxt([300, 300], "landscape.jpg", { width: 300, height: 300, quality: 60 });
nuxt([1200, 800], "/landscape.jpg", {});
nuxt([80, 80], "/small.jpg", { width: 300, height: 300 });
nuxt([300, 300], "/landscape.jpg", { width: 300, height: 300, fit: "contain", background: "#ff0000" });
nuxt([300, 200], "/landscape.jpg", { width: 300, height: 300, fit: "inside" });
nuxt([450, 300], "/landscape.jpg", { width: 300, height: 300, fit: "outside" });
nuxt([300, 100], "/landscape.jpg", { width: 300, height: 100, fit: "fill" });
nuxt([200, 200], "/landscape.jpg", { width: 200, height: 200, fit: "cover", position: "right top" });
nuxt([300, 450], "/small.jpg", { width: 300, rotate: 90, blur: 3, grayscale: true, enlarge: true });
nuxt([150, 225], "/portrait.jpg", { width: 150, format: "auto" });
nuxt([100, 67], "/späce näme ü.jpg", { width: 100 });
nuxt([100, 67], "/moving.gif", { width: 100 }, "image/gif");
nuxt([90, 60], "/nested/deep/photo.jpg", { height: 60 });
nuxt([60, 60], "/landscape.jpg", {}, "image/jpeg", { preset: "avatar" });
const { srcset } = $img.getSizes("/landscape.jpg", { sizes: "100vw sm:50vw md:400px", modifiers: { format: "webp" } });
for (const candidate of srcset.split(", ")) {
  const [url, width] = candidate.split(" ");
  const side = Math.min(parseInt(width), 1200);
  add("@nuxt/image", url, [side, Math.round((side * 2) / 3)], "image/webp");
}
const signed = { provider: "imgproxy" };
nuxt([300, 200], "local:///landscape.jpg", { width: 300, format: "webp" }, "image/webp", signed);
nuxt([300, 300], "local:///landscape.jpg", { width: 300, height: 300, fit: "cover" }, "image/jpeg", signed);
nuxt([300, 300], "local:///landscape.jpg", { width: 300, height: 300, fit: "contain" }, "image/jpeg", signed);
nuxt([300, 100], "local:///landscape.jpg", { width: 300, height: 100, fit: "fill" }, "image/jpeg", signed);
nuxt([300, 200], "local:///landscape.jpg", { width: 300, height: 300, fit: "inside" }, "image/jpeg", signed);
nuxt([120, 80], "local:///small.jpg", { width: 300, enlarge: false, stripMetadata: true }, "image/jpeg", signed);
nuxt([300, 450], "local:///small.jpg", { width: 300, rotate: 90, enlarge: true, dpr: 1 }, "image/jpeg", signed);
nuxt([200, 100], "local:///landscape.jpg", { crop: { width: 400, height: 200, gravity: "no" }, width: 200 }, "image/jpeg", signed);
nuxt([100, 67], "local:///späce näme ü.jpg", { width: 100, quality: 50 }, "image/jpeg", signed);
nuxt([200, 133], "local:///landscape.jpg", { width: 200 }, "image/jpeg", { ...signed, baseURL: `${address}/open`, key: "", salt: "" });

// -------------------------------------------------------------------------------------------------- unpic
const unpic = (size, source, options, type) =>
  add("unpic", transformUrl({ url: source, provider: "ipx", ...options }, {}, { ipx: { baseURL: `${address}/_ipx` } }), size, type);
unpic([300, 200], "/landscape.jpg", { width: 300, height: 200 });
unpic([300, 300], "/landscape.jpg", { width: 300, height: 300 });
unpic([300, 200], "/landscape.jpg", { width: 300, format: "webp", quality: 60 }, "image/webp");
unpic([150, 225], "/portrait.jpg", { height: 225 });
unpic([80, 80], "/small.jpg", { width: 300, height: 300 });
unpic([100, 67], "/sp%C3%A4ce%20n%C3%A4me%20%C3%BC.jpg", { width: 100 });

// ------------------------------------------------------------------------------------- thumbor-url-builder
const thumbor = (size, source, build, type, at = "/t", given = secret) => {
  const log = console.log;
  console.log = () => {}; // it prints each alignment
  const url = build(new ThumborUrlBuilder(given, address + at).setImagePath(source)).buildUrl();
  console.log = log;
  add("thumbor-url-builder", url, size, type);
};
thumbor([300, 200], "landscape.jpg", (one) => one.resize(300, 200));
thumbor([300, 300], "/small.jpg", (one) => one.resize(300, 300));
thumbor([200, 133], "landscape.jpg", (one) => one.resize(200, 0));
thumbor([200, 800], "landscape.jpg", (one) => one.resize(200, "orig"));
thumbor([300, 200], "landscape.jpg", (one) => one.fitIn(300, 400).filter("format(webp)").filter("quality(60)"), "image/webp");
thumbor([200, 200], "landscape.jpg", (one) => one.crop(100, 100, 500, 400).resize(200, 200).smartCrop(true));
thumbor([200, 100], "landscape.jpg", (one) => one.resize(200, 100).halign("right").valign("top").flipHorizontally());
thumbor([90, 60], "medium.jpg", (one) => one.resize(90, 60).flipVertically().filter("grayscale()").filter("rotate(180)"));
thumbor([300, 300], "landscape.jpg", (one) => one.fitIn(300, 300).filter("fill(red)"));
thumbor([100, 67], "sp%C3%A4ce%20n%C3%A4me%20%C3%BC.jpg", (one) => one.resize(100, 0));
thumbor([300, 200], "nested/deep/photo.jpg", (one) => one.resize(300, 200), "image/jpeg", "/open-t", "");

console.log(JSON.stringify(found));
