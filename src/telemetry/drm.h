#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// A graphics card as the kernel shows it.
struct DrmCard {
  std::filesystem::path card;    ///< `/sys/class/drm/card0`
  std::filesystem::path device;  ///< Its PCI device.
  std::string id;                ///< `PCI 0x1002:0x744c`
};

/// The cards of a vendor, such as `0x1002`. At most 16.
std::vector<DrmCard> drm_cards(const std::filesystem::path& sys, std::string_view vendor);

/// Whether the card sleeps: reading its sensors would wake it.
bool is_asleep(const DrmCard& card);

}  // namespace assay
