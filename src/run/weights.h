#pragma once

#include <filesystem>

#include "model/options.h"
#include "run/session.h"

namespace assay {

/// Files of more bytes than this, all together, are not read to know whether two cells run the
/// same weights.
inline constexpr int64_t kMostBytesRead = int64_t{32} << 30;

/// Fills Cell::weights and Cell::fingerprint of the cells whose file of weights can be told for
/// sure: one that we serve, that a server on this machine names, or that the registry knows under
/// the server's name. Files whose digest is not known yet are read where another cell's file is as
/// large, up to kMostBytesRead. Whatever cannot be read stays empty.
void note_weights(const std::filesystem::path& data_dir, const RunSpec& spec, Session& session,
                  const OnNote& note);

}  // namespace assay
