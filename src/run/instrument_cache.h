#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "model/instrument.h"

namespace assay {

/// `$XDG_CACHE_HOME/assay`, else `~/.cache/assay`.
std::filesystem::path cache_directory();

/// What a cached fact depends on: this host, this build of the program, and `parts`. Hex digits.
std::string instrument_key(const std::vector<std::string>& parts);

/// What was kept under the key, unless it is older than `most`. Anything unreadable is absent.
std::optional<Instrument> load_instrument(const std::string& key, Nanos most);

/// A cache that cannot be written only costs time: failures are not told.
void keep_instrument(const std::string& key, const Instrument& instrument);

}  // namespace assay
