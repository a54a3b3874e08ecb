#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "registry/memory_need.h"
#include "registry/scan.h"
#include "run/environment.h"
#include "store/state.h"
#include "telemetry/machine.h"

namespace assay {

/// What a scan changes in the state: models that are new or have changed, and those that are gone
/// from a directory that was scanned whole, which lose present and enabled. Nothing else.
std::vector<Fact> facts_of_scan(const Scan& scan, const State& state, std::string_view now_utc);

/// Gives the scan's models what the state knows of them, and adds the models that are missing from
/// its directories.
void apply_state(const State& state, Scan& scan);

/// Scans, writes what that changes to the state, and applies the state: the registry as it is now.
/// `cache` is the data directory's. Errors are those of the state.
Result<Scan> read_registry(const std::filesystem::path& data_dir, const Surroundings& where,
                           const DigestCache& cache, const ScanProgress& progress = {});

/// Memory that models can be loaded into. Empty where the system does not tell.
std::vector<MemoryPool> memory_pools(const EnvironmentSource& source);
/// The free memory of each graphics card that tells all of its own and what is in use; one that
/// borrows the machine's has none. Reads the sensors once.
std::vector<MemoryPool> gpu_pools(const MachineRoots& roots);

}  // namespace assay
