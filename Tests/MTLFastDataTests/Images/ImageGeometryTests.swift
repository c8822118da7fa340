// SPDX-License-Identifier: Apache-2.0
// Which part of an image is shown where, by hand.

import Testing

@testable import MTLFastData

struct ImageGeometryTests {
  private func geometry(_ box: ImageBox, _ height: Int, _ width: Int, _ fit: ImageFit) -> ImageGeometry {
    ImageGeometry(of: box, outputHeight: height, outputWidth: width, fit: fit)
  }

  @Test func cropCutsTheLongerSideInHalves() {
    let wide = geometry(ImageBox(x0: 0, y0: 0, x1: 100, y1: 40), 20, 20, .crop)
    #expect((wide.x, wide.y, wide.width, wide.height) == (30, 0, 40, 40))
    #expect(wide.region == PixelRegion(top: 0, left: 0, height: 20, width: 20))
    let tall = geometry(ImageBox(x0: 10, y0: 20, x1: 40, y1: 120), 10, 20, .crop)
    #expect((tall.x, tall.y, tall.width, tall.height) == (10, 62.5, 30, 15))
    #expect(tall.bounds == ImageBox(x0: 10, y0: 20, x1: 40, y1: 120))
  }

  @Test func letterboxPutsTheOddPixelBelowAndRight() {
    let wide = geometry(ImageBox(x0: 0, y0: 0, x1: 100, y1: 50), 21, 20, .letterbox)
    #expect((wide.x, wide.y, wide.width, wide.height) == (0, 0, 100, 50))
    #expect(wide.region == PixelRegion(top: 5, left: 0, height: 10, width: 20))
    let tall = geometry(ImageBox(x0: 0, y0: 0, x1: 30, y1: 100), 10, 10, .letterbox)
    #expect(tall.region == PixelRegion(top: 0, left: 3, height: 10, width: 3))
    // A sliver keeps one pixel.
    let sliver = geometry(ImageBox(x0: 0, y0: 0, x1: 1000, y1: 1), 10, 10, .letterbox)
    #expect(sliver.region == PixelRegion(top: 4, left: 0, height: 1, width: 10))
  }

  @Test func stretchTakesAll() {
    let all = geometry(ImageBox(x0: 5, y0: 6, x1: 25, y1: 46), 7, 9, .stretch)
    #expect((all.x, all.y, all.width, all.height) == (5, 6, 20, 40))
    #expect(all.region == PixelRegion(top: 0, left: 0, height: 7, width: 9))
  }

  @Test(arguments: ImageFit.allCases) func equalAspectIsTheSameInEveryFit(fit: ImageFit) {
    let box = ImageBox(x0: 0, y0: 0, x1: 60, y1: 40)
    #expect(geometry(box, 20, 30, fit) == geometry(box, 20, 30, .stretch))
  }

  @Test func shrinkingKeepsOutOfTheBoxWhatIsPartlyOutside() {
    let whole = geometry(ImageBox(x0: 29, y0: 0, x1: 195, y1: 223), 20, 20, .stretch)
    let half = whole.shrunk(by: 2, imageWidth: 224, imageHeight: 223)
    #expect(half.bounds == ImageBox(x0: 15, y0: 0, x1: 97, y1: 112))
    #expect((half.x, half.y, half.width, half.height) == (14.5, 0, 83, 111.5))
    // A box within one shrunk pixel still has that pixel.
    let tiny = geometry(ImageBox(x0: 9, y0: 9, x1: 10, y1: 10), 1, 1, .stretch)
    #expect(
      tiny.shrunk(by: 8, imageWidth: 64, imageHeight: 64).bounds == ImageBox(x0: 1, y0: 1, x1: 2, y1: 2))
  }

  @Test func nearestPixels() {
    let down = geometry(ImageBox(x0: 0, y0: 0, x1: 6, y1: 3), 3, 2, .stretch)
    #expect(down.nearestColumns == [1, 4])
    #expect(down.nearestRows == [0, 1, 2])
    let up = geometry(ImageBox(x0: 4, y0: 4, x1: 6, y1: 6), 4, 4, .stretch)
    #expect(up.nearestColumns == [4, 4, 5, 5])
  }

  @Test func boxes() {
    #expect(ImageBox(x0: 0, y0: 0, x1: 4, y1: 3).lies(inWidth: 4, height: 3))
    for box in [
      ImageBox(x0: -1, y0: 0, x1: 4, y1: 3), ImageBox(x0: 0, y0: 0, x1: 5, y1: 3), ImageBox(x0: 2, y0: 0, x1: 2, y1: 3),
      ImageBox(x0: 0, y0: 3, x1: 4, y1: 1), ImageBox(x0: .min, y0: .min, x1: .max, y1: .max),
    ] {
      #expect(!box.lies(inWidth: 4, height: 3))
    }
  }
}
