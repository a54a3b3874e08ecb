#include "registry/memory_need.h"

#include <algorithm>
#include <system_error>

namespace assay {
namespace {

// llama.cpp computes prompts in pieces of 512 tokens, and keeps room for the logits of a piece. The
// rest of its buffers is small beside that for most models.
constexpr int64_t kPieceTokens = 512;
constexpr int64_t kLogitBytes = 4;
constexpr int64_t kUsualVocabulary = 128'000;  ///< Where the header does not tell.
constexpr int64_t kOtherBuffers = 64 << 20;
constexpr int64_t kMostTokens = int64_t{1} << 31;

int64_t projector_bytes(const RegisteredModel& model) {
  if (!model.listed.projector) return 0;
  std::error_code error;
  const auto bytes = std::filesystem::file_size(*model.listed.projector, error);
  return error ? 0 : static_cast<int64_t>(bytes);
}

}  // namespace

std::optional<MemoryNeed> memory_need(const RegisteredModel& model,
                                      std::optional<int64_t> context_length) {
  if (model.state != ModelState::kWhole || !model.header) return std::nullopt;
  const GgufInfo& header = *model.header;
  MemoryNeed need;
  need.context_length =
      std::clamp<int64_t>(context_length.value_or(std::min(
                              header.context_length.value_or(kUsualContext), kUsualContext)),
                          1, kMostTokens);
  need.weights = model.bytes + projector_bytes(model);
  if (header.cache_bytes_per_token) {
    const double bytes = *header.cache_bytes_per_token * static_cast<double>(need.context_length);
    constexpr double kMost = 1e18;  // Headers can say anything.
    need.cache = static_cast<int64_t>(std::min(bytes, kMost));
  }
  const int64_t vocabulary =
      std::clamp<int64_t>(header.vocabulary.value_or(kUsualVocabulary), 0, kMostTokens);
  need.compute = kPieceTokens * kLogitBytes * vocabulary + kOtherBuffers;
  return need;
}

const MemoryPool* fitting_pool(const MemoryNeed& need, const std::vector<MemoryPool>& pools) {
  const auto pool = std::ranges::find_if(
      pools, [&](const MemoryPool& p) { return need.total() <= p.free_bytes; });
  return pool == pools.end() ? nullptr : &*pool;
}

}  // namespace assay
