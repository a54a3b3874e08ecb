#include "registry/eligibility.h"

namespace assay {

std::vector<std::string> why_not_enabled(const RegisteredModel& model) {
  if (model.state != ModelState::kWhole) return {model.reason};
  switch (model.kind) {
    case ModelKind::kProjector:
      return {"it is the projector of another model, which brings it along"};
    case ModelKind::kAdapter:
      return {"it is an adapter for another model"};
    case ModelKind::kVocabulary:
      return {"it holds a vocabulary and no weights"};
    case ModelKind::kText:
    case ModelKind::kEmbedding:
      return {};
  }
  return {};
}

std::vector<std::string> why_not_eligible(const RegisteredModel& model) {
  auto reasons = why_not_enabled(model);
  if (!reasons.empty()) return reasons;
  if (model.kind == ModelKind::kEmbedding) {
    reasons.emplace_back("it makes vectors of texts and generates none");
  } else if (!model.enabled) {
    reasons.push_back("it is not enabled");
  } else if (!model.benchmark) {
    reasons.push_back("it is not enabled for benchmarks");
  }
  return reasons;
}

bool is_eligible(const RegisteredModel& model) { return why_not_eligible(model).empty(); }

}  // namespace assay
