#include "telemetry/drm.h"

#include "base/text.h"
#include "telemetry/sensor_file.h"

namespace assay {

std::vector<DrmCard> drm_cards(const std::filesystem::path& sys, std::string_view vendor) {
  constexpr size_t kMostCards = 16;
  std::vector<DrmCard> cards;
  for (const auto& card : numbered(sys / "class/drm", "card", kMostCards)) {
    const auto device = card / "device";
    const auto its_vendor = sensor_text(device / "vendor");
    if (!its_vendor || trim(*its_vendor) != vendor) continue;
    const auto number = sensor_text(device / "device").value_or("?");
    cards.push_back({card, device, "PCI " + std::string(vendor) + ":" + std::string(trim(number))});
  }
  return cards;
}

bool is_asleep(const DrmCard& card) {
  const auto status = sensor_text(card.device / "power/runtime_status");
  return status && trim(*status) == "suspended";
}

}  // namespace assay
