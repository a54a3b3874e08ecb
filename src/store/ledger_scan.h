#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>

#include "base/result.h"
#include "model/run.h"

namespace assay {

/// What to do with a last line that is whole JSON and lacks only its line end.
enum class UnendedLine : uint8_t { kAccept, kTorn };

struct LedgerScan {
  LedgerContent content;   ///< `calls` stays empty: they went to `on_call`.
  int64_t kept_bytes = 0;  ///< Where the torn tail begins; the file's size when there is none.
};

using OnCall = std::function<Result<void>(CallRecord&&)>;
/// Called once, with the meta line, which every writer of this format puts first.
using OnMeta = std::function<void(const RunMeta&)>;

/// Reads a ledger line by line, in bounded memory, and hands over each call that counts, in ledger
/// order: attempts included, second final records left out. An Error of `on_call` ends the scan and
/// is returned. Failures as read_ledger.
Result<LedgerScan> scan_ledger(const std::filesystem::path& path, UnendedLine unended,
                               const OnCall& on_call, const OnMeta& on_meta = nullptr);

}  // namespace assay
