#include "run/instrument_cache.h"

#include <fmt/format.h>

#include <cstdlib>

#include "base/files.h"
#include "base/ids.h"
#include "base/text.h"
#include "model/json.h"
#include "run/environment.h"

namespace assay {
namespace {

namespace fs = std::filesystem;

fs::path cached_file(const std::string& key) {
  return cache_directory() / fmt::format("instrument-{}.json", key);
}

/// Another build is another instrument.
std::string program_identity() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  if (error) return ASSAY_VERSION;
  const auto bytes = fs::file_size(program, error);
  const auto changed = fs::last_write_time(program, error).time_since_epoch().count();
  return fmt::format("{} {} {}", ASSAY_VERSION, error ? 0 : bytes, changed);
}

}  // namespace

fs::path cache_directory() {
  if (const char* xdg = std::getenv("XDG_CACHE_HOME"); xdg != nullptr && *xdg == '/') {
    return fs::path(xdg) / "assay";
  }
  const char* home = std::getenv("HOME");
  return home != nullptr && *home != '\0' ? fs::path(home) / ".cache" / "assay"
                                          : fs::temp_directory_path() / "assay-cache";
}

std::string instrument_key(const std::vector<std::string>& parts) {
  return sha256_hex(host_name() + '\n' + program_identity() + '\n' + join(parts, "\n"))
      .substr(0, 16);
}

std::optional<Instrument> load_instrument(const std::string& key, Nanos most) {
  const fs::path path = cached_file(key);
  std::error_code error;
  const auto written = fs::last_write_time(path, error);
  if (error || fs::file_time_type::clock::now() - written > most) return std::nullopt;
  constexpr int64_t kMostBytes = 64 << 10;
  const auto text = read_file(path, kMostBytes);
  if (!text) return std::nullopt;
  auto instrument = read_instrument(*text);
  if (!instrument) return std::nullopt;
  return std::move(*instrument);
}

void keep_instrument(const std::string& key, const Instrument& instrument) {
  if (!make_directories(cache_directory())) return;
  [[maybe_unused]] const auto written =
      write_file_atomic(cached_file(key), instrument_text(instrument));
}

}  // namespace assay
