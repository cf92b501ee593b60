// The body of a function for chromedriver's "execute async script": arguments are a URL, the cells of a side, a callback.
//
// Draws the picture 1:1 on a canvas in sRGB and gives the means of the cells, row by row: red, green and blue
// premultiplied by alpha, and alpha, each 0 to 255. An animation is drawn as its first frame, orientation is applied.
const [url, side, done] = arguments;
const pixelsAtOnce = 4e6;

const edge = (cell, length) => Math.floor((cell * length) / side);
// A side shorter than the grid has cells that share pixels, and no empty ones.
const range = (cell, length) => [edge(cell, length), Math.max(edge(cell + 1, length), edge(cell, length) + 1)];

function add(sums, data, stride, rows) {
  sums.forEach((sum, column) => {
    const [left, right] = range(column, stride);
    for (let row = 0; row < rows; row++) {
      for (let at = 4 * (row * stride + left), end = 4 * (row * stride + right); at < end; at += 4) {
        const alpha = data[at + 3];
        const share = alpha / 255;
        sum[0] += data[at] * share;
        sum[1] += data[at + 1] * share;
        sum[2] += data[at + 2] * share;
        sum[3] += alpha;
      }
    }
  });
}

function means(context, width, height) {
  const cells = [];
  const rowsAtOnce = Math.max(1, Math.floor(pixelsAtOnce / width));
  for (let row = 0; row < side; row++) {
    const [top, bottom] = range(row, height);
    const sums = Array.from({ length: side }, () => [0, 0, 0, 0]);
    for (let y = top; y < bottom; y += rowsAtOnce) {
      const rows = Math.min(rowsAtOnce, bottom - y);
      add(sums, context.getImageData(0, y, width, rows).data, width, rows);
    }
    sums.forEach((sum, column) => {
      const [left, right] = range(column, width);
      cells.push(sum.map((total) => total / ((right - left) * (bottom - top))));
    });
  }
  return cells;
}

const image = new Image();
image.style.imageOrientation = "from-image";
image.onerror = () => done(null);
image.onload = () => {
  try {
    const [width, height] = [image.naturalWidth, image.naturalHeight];
    const canvas = document.createElement("canvas");
    canvas.width = width;
    canvas.height = height;
    const context = canvas.getContext("2d", { colorSpace: "srgb", willReadFrequently: true });
    // A canvas that is too large takes no pixels, without any error.
    context.fillRect(0, 0, 1, 1);
    if (context.getImageData(0, 0, 1, 1).data[3] === 0) throw new Error("no canvas is as large as the picture");
    context.clearRect(0, 0, 1, 1);
    context.drawImage(image, 0, 0);
    done({ width, height, cells: means(context, width, height) });
  } catch (error) {
    done({ error: error.message });
  }
};
image.src = url;
