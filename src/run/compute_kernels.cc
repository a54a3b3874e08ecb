#include "run/compute_kernels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace assay {
namespace {

// Enough independent sums to hide the latency of one instruction.
constexpr int kSums = 10;

/// Vectors of `Bytes` bytes, in the compiler's own notation: each target makes of them what it has.
template <class T, int Bytes>
struct VectorOf {
  using Type __attribute__((vector_size(Bytes))) = T;
};
template <class T, int Bytes>
using Vector = typename VectorOf<T, Bytes>::Type;

template <int Bytes>
__attribute__((always_inline)) inline uint64_t read_words(std::span<const uint64_t> words) {
  using V = Vector<uint64_t, Bytes>;
  constexpr size_t kLanes = Bytes / sizeof(uint64_t);
  constexpr size_t kAtOnce = 4;
  V sums[kAtOnce] = {};
  for (size_t i = 0; i + kAtOnce * kLanes <= words.size(); i += kAtOnce * kLanes) {
    for (size_t k = 0; k < kAtOnce; ++k) {
      V part;
      __builtin_memcpy(&part, words.data() + i + k * kLanes, sizeof(part));
      sums[k] += part;
    }
  }
  uint64_t sum = 0;
  for (const V& part : sums) {
    for (size_t lane = 0; lane < kLanes; ++lane) sum += part[lane];
  }
  return sum;
}

template <int Bytes>
__attribute__((always_inline)) inline Work float_rounds(int64_t rounds) {
  using V = Vector<float, Bytes>;
  constexpr int kLanes = Bytes / static_cast<int>(sizeof(float));
  V sums[kSums];
  for (int k = 0; k < kSums; ++k) sums[k] = V{} + 1.0F + static_cast<float>(k);
  const V factor = V{} + 0.999F;
  const V addend = V{} + 0.001F;
  for (int64_t i = 0; i < rounds; ++i) {
    for (V& sum : sums) sum = sum * factor + addend;
  }
  Work work;
  work.operations = 2.0 * kLanes * kSums * static_cast<double>(rounds);
  for (const V& sum : sums) work.result += static_cast<double>(sum[0]);
  return work;
}

#if defined(__x86_64__)

bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"); }
bool has_avx512() { return has_avx2() && __builtin_cpu_supports("avx512f"); }
bool has_vnni() { return has_avx512() && __builtin_cpu_supports("avx512vnni"); }

__attribute__((target("avx2"))) uint64_t read_avx2(std::span<const uint64_t> words) {
  return read_words<32>(words);
}
__attribute__((target("avx2,fma"))) Work floats_avx2(int64_t rounds) {
  return float_rounds<32>(rounds);
}
__attribute__((target("avx512f,fma"))) Work floats_avx512(int64_t rounds) {
  return float_rounds<64>(rounds);
}

__attribute__((target("avx2"))) Work bytes_avx2(int64_t rounds) {
  __m256i sums[kSums] = {};
  __m256i left = _mm256_set1_epi8(3);
  const __m256i right = _mm256_set1_epi8(5);
  const __m256i ones = _mm256_set1_epi16(1);
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+x"(left));  // Else the product would be taken out of the loop.
    for (__m256i& sum : sums) {
      const __m256i pairs = _mm256_maddubs_epi16(left, _mm256_xor_si256(right, sum));
      sum = _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, ones));
    }
  }
  Work work;
  work.operations = 64.0 * kSums * static_cast<double>(rounds);
  for (const __m256i& sum : sums) work.result += _mm256_extract_epi32(sum, 0);
  return work;
}

__attribute__((target("avx512f,avx512vnni"))) Work bytes_vnni(int64_t rounds) {
  __m512i sums[kSums] = {};
  __m512i left = _mm512_set1_epi8(3);
  const __m512i right = _mm512_set1_epi8(5);
  for (int64_t i = 0; i < rounds; ++i) {
    asm volatile("" : "+v"(left));
    for (__m512i& sum : sums) sum = _mm512_dpbusd_epi32(sum, left, right);
  }
  Work work;
  work.operations = 128.0 * kSums * static_cast<double>(rounds);
  for (const __m512i& sum : sums) {
    work.result += _mm_cvtsi128_si32(_mm512_castsi512_si128(sum));
  }
  return work;
}

#endif

}  // namespace

#if defined(__x86_64__)

uint64_t read_once(std::span<const uint64_t> words) {
  return has_avx2() ? read_avx2(words) : read_words<16>(words);
}
Work multiply_floats(int64_t rounds) {
  if (has_avx512()) return floats_avx512(rounds);
  return has_avx2() ? floats_avx2(rounds) : float_rounds<16>(rounds);
}
Work multiply_bytes(int64_t rounds) {
  if (has_vnni()) return bytes_vnni(rounds);
  return has_avx2() ? bytes_avx2(rounds) : Work{};
}

#else

uint64_t read_once(std::span<const uint64_t> words) { return read_words<16>(words); }
Work multiply_floats(int64_t rounds) { return float_rounds<16>(rounds); }
Work multiply_bytes(int64_t) { return {}; }

#endif

}  // namespace assay
