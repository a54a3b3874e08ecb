#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace assay {

/// A model as a place lists it. Its files were not read yet.
struct ListedModel {
  std::string place;           ///< Name of the table's line.
  std::filesystem::path root;  ///< The scanned directory.
  /// Below the root: the model's first file, or the manifest that names its files. The identity is
  /// made of it.
  std::string path;
  std::string name;  ///< As the place's engine calls it; the path without its ending elsewhere.
  std::vector<std::filesystem::path> files;  ///< All parts that are there, in order.
  std::vector<std::string> missing;          ///< Names of parts that are not.
  std::optional<std::filesystem::path> projector;
  /// SHA-256 of the model's one file, where the place keeps files under their digests.
  std::optional<std::string> digest;
  /// By which the place's engine tells versions of a model apart.
  std::optional<std::string> engine_digest;
  std::string problem;  ///< Why its files cannot be told; empty when they can.
};

struct Listing {
  std::vector<ListedModel> models;
  std::vector<std::string> problems;  ///< What could not be looked at: a sentence each.
};

/// What decides where models are.
struct Surroundings {
  std::filesystem::path home;
  std::vector<std::filesystem::path> models_dirs;    ///< That a person named.
  std::function<std::string(const char*)> variable;  ///< Of the environment; may be empty.
  std::filesystem::path system = "/";                ///< Above usr/share.
};

/// The place of directories that a person named.
inline constexpr std::string_view kNamedDirectory = "directory";

/// A kind of place that model files are kept in: one file and a line in builtin.cc.
struct Place {
  std::string_view name;
  std::string_view summary;
  /// Directories to scan. Those that do not exist are passed over unless a person named them.
  std::vector<std::filesystem::path> (*roots)(const Surroundings&);
  /// Every model below the root, by path. Reads names and manifests, no model file.
  Listing (*list)(const std::filesystem::path& root);
};

const std::vector<Place>& places();

/// The environment, the home directory and `models_dirs` of this process.
Surroundings surroundings(const std::vector<std::string>& models_dirs);

// The places, one file each; see builtin.cc.
std::vector<std::filesystem::path> directory_roots(const Surroundings& where);
Listing list_directory(const std::filesystem::path& root);
/// The same without what lies in folders below.
Listing list_folder(const std::filesystem::path& folder);
std::vector<std::filesystem::path> ollama_roots(const Surroundings& where);
Listing list_ollama(const std::filesystem::path& root);
std::vector<std::filesystem::path> lmstudio_roots(const Surroundings& where);
std::vector<std::filesystem::path> llamacpp_roots(const Surroundings& where);

}  // namespace assay
