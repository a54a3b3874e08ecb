#include "supervise/engine_environment.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <filesystem>
#include <string_view>

namespace assay {
namespace {

constexpr std::array kPassedOn{
    "LD_LIBRARY_PATH",          "TMPDIR",           "CUDA_DEVICE_ORDER", "CUDA_CACHE_PATH",
    "HSA_OVERRIDE_GFX_VERSION", "VK_ICD_FILENAMES", "VK_DRIVER_FILES"};
/// An empty one shows no device. A device that is only named on the command line is still touched
/// by some drivers, which then fail for want of its memory.
constexpr std::array kDevices{"CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES",
                              "GGML_VK_VISIBLE_DEVICES"};
/// Of Intel's runtime, where an empty one shows every device: what is no GPU has to be named.
constexpr std::array kIntelDevices{"ONEAPI_DEVICE_SELECTOR", "ZE_AFFINITY_MASK"};
constexpr const char* kNoIntelGpu = "ONEAPI_DEVICE_SELECTOR=*:cpu";

}  // namespace

std::vector<std::string> engine_environment(const Recipe& recipe, const Secret& key,
                                            bool gpu_hidden) {
  const char* path = std::getenv("PATH");
  const char* home = recipe.sees_home ? std::getenv("HOME") : nullptr;
  std::error_code error;
  std::vector<std::string> list{
      fmt::format("PATH={}", path != nullptr ? path : "/usr/bin:/bin"),
      fmt::format("HOME={}", home != nullptr
                                 ? std::string(home)
                                 : std::filesystem::temp_directory_path(error).string()),
      "LANG=C.UTF-8", fmt::format("{}={}", recipe.key_variable, key.reveal())};
  const auto pass_on = [&](const char* name) {
    if (const char* value = std::getenv(name)) list.push_back(fmt::format("{}={}", name, value));
  };
  for (const char* name : kPassedOn) pass_on(name);
  const std::string libraries = recipe.libraries != nullptr ? recipe.libraries() : std::string();
  if (libraries.empty()) {
    pass_on("LD_LIBRARY_PATH");
  } else {
    list.push_back(fmt::format("LD_LIBRARY_PATH={}", libraries));
  }
  for (const char* name : kDevices) {
    if (gpu_hidden) {
      list.push_back(fmt::format("{}=", name));
    } else {
      pass_on(name);
    }
  }
  if (gpu_hidden) {
    list.emplace_back(kNoIntelGpu);
  } else {
    for (const char* name : kIntelDevices) pass_on(name);
  }
  for (const std::string_view extra : recipe.environment) list.emplace_back(extra);
  return list;
}

}  // namespace assay
