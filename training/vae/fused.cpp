// RMS norm over the channels and SiLU in one pass, forwards and backwards, for bfloat16 with the channels last.
//
// PyTorch needs a dozen passes over memory for it, which is most of the time of a training step on a CPU.
#include <torch/extension.h>

#include <ATen/Parallel.h>
#include <cmath>
#include <mutex>
#include <vector>

namespace {

constexpr float kEpsilon = 1e-12f;
constexpr int64_t kRowsAtOnce = 2048;

inline float widen(uint16_t value) {
  uint32_t bits = static_cast<uint32_t>(value) << 16;
  float result;
  __builtin_memcpy(&result, &bits, 4);
  return result;
}

inline uint16_t narrow(float value) {  // to the nearest, ties to even
  uint32_t bits;
  __builtin_memcpy(&bits, &value, 4);
  return static_cast<uint16_t>((bits + 0x7fff + ((bits >> 16) & 1)) >> 16);
}

template <int C>
float inverse_length(const uint16_t* row, float* wide) {
  float sum = 0;
  for (int c = 0; c < C; ++c) {
    wide[c] = widen(row[c]);
    sum += wide[c] * wide[c];
  }
  return 1.0f / std::sqrt(sum / C + kEpsilon);
}

template <int C>
void forward_rows(const uint16_t* x, const float* gamma, uint16_t* y, int64_t rows) {
  at::parallel_for(0, rows, kRowsAtOnce, [&](int64_t begin, int64_t end) {
    float wide[C];
    for (int64_t row = begin; row < end; ++row) {
      const float scale = inverse_length<C>(x + row * C, wide);
      for (int c = 0; c < C; ++c) {
        const float n = wide[c] * scale * gamma[c];
        y[row * C + c] = narrow(n / (1.0f + std::exp(-n)));
      }
    }
  });
}

template <int C>
void backward_rows(const uint16_t* x, const float* gamma, const uint16_t* gy, uint16_t* gx, float* ggamma, int64_t rows) {
  std::mutex adding;
  at::parallel_for(0, rows, kRowsAtOnce, [&](int64_t begin, int64_t end) {
    float wide[C], inner[C], total[C] = {};
    for (int64_t row = begin; row < end; ++row) {
      const float scale = inverse_length<C>(x + row * C, wide);
      float dot = 0;
      for (int c = 0; c < C; ++c) {
        const float unit = wide[c] * scale;
        const float n = unit * gamma[c];
        const float gate = 1.0f / (1.0f + std::exp(-n));
        const float gn = widen(gy[row * C + c]) * gate * (1.0f + n * (1.0f - gate));
        total[c] += gn * unit;
        inner[c] = gn * gamma[c];
        dot += inner[c] * unit;
        wide[c] = unit;
      }
      dot /= C;
      for (int c = 0; c < C; ++c) gx[row * C + c] = narrow(scale * (inner[c] - wide[c] * dot));
    }
    std::lock_guard<std::mutex> lock(adding);
    for (int c = 0; c < C; ++c) ggamma[c] += total[c];
  });
}

const uint16_t* bits(const torch::Tensor& t) { return reinterpret_cast<const uint16_t*>(t.data_ptr<at::BFloat16>()); }
uint16_t* writable(torch::Tensor& t) { return reinterpret_cast<uint16_t*>(t.data_ptr<at::BFloat16>()); }

#define FOR_WIDTH(C, CALL)                                      \
  switch (C) {                                                  \
    case 16: CALL(16); break;                                   \
    case 32: CALL(32); break;                                   \
    case 64: CALL(64); break;                                   \
    default: TORCH_CHECK(false, "no kernel for this width");    \
  }

// x: [B, T, H, W, C], contiguous. Returns [B, before + T, H, W, C], with zeros in the first frames.
torch::Tensor forward(torch::Tensor x, torch::Tensor gamma, int64_t before) {
  auto shape = x.sizes().vec();
  shape[1] += before;
  auto y = torch::empty(shape, x.options());
  if (before) y.narrow(1, 0, before).zero_();
  const int64_t width = x.size(4), rows = x.size(1) * x.size(2) * x.size(3), skipped = before * x.size(2) * x.size(3);
  for (int64_t b = 0; b < x.size(0); ++b) {
    const uint16_t* from = bits(x) + b * rows * width;
    uint16_t* to = writable(y) + (b * (rows + skipped) + skipped) * width;
#define CALL(C) forward_rows<C>(from, gamma.data_ptr<float>(), to, rows)
    FOR_WIDTH(width, CALL)
#undef CALL
  }
  return y;
}

std::vector<torch::Tensor> backward(torch::Tensor x, torch::Tensor gamma, torch::Tensor gy, int64_t before) {
  auto gx = torch::empty_like(x);
  auto ggamma = torch::zeros_like(gamma);
  const int64_t width = x.size(4), rows = x.size(1) * x.size(2) * x.size(3), skipped = before * x.size(2) * x.size(3);
  for (int64_t b = 0; b < x.size(0); ++b) {
    const uint16_t* from = bits(x) + b * rows * width;
    const uint16_t* above = bits(gy) + (b * (rows + skipped) + skipped) * width;
    uint16_t* to = writable(gx) + b * rows * width;
#define CALL(C) backward_rows<C>(from, gamma.data_ptr<float>(), above, to, ggamma.data_ptr<float>(), rows)
    FOR_WIDTH(width, CALL)
#undef CALL
  }
  return {gx, ggamma};
}

}  // namespace

PYBIND11_MODULE(TORCH_EXTENSION_NAME, m) {
  m.def("forward", &forward);
  m.def("backward", &backward);
}
