#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "model/load_settings.h"
#include "supervise/engine_log.h"

namespace assay {

/// What is to be served and how.
struct LaunchRequest {
  std::filesystem::path gguf;
  std::string alias;                ///< The model's name towards clients.
  std::string program;              ///< Of a recipe that takes one: a path, or a name on PATH.
  LaunchSettings settings;          ///< As asked for.
  std::filesystem::path projector;  ///< Of `settings.projector`; empty where that is absent.
  std::optional<int64_t> layers;    ///< Repeating ones, by the file's header; absent when not told.
};

/// How one kind of engine is started and watched. All of it is data or a pure function, so that one
/// supervisor serves them all.
struct Recipe {
  std::string_view name;         ///< In records: `llama-server`.
  std::string_view engine_kind;  ///< The dialect it speaks, a name of the engine table.
  /// The program and what always stands before the arguments. kNotFound with what to do.
  Result<std::vector<std::string>> (*find)(const std::string& named) = nullptr;
  /// Arguments for one attempt. `settings` hold no others than `takes`.
  std::vector<std::string> (*arguments)(const LaunchRequest& request,
                                        const LaunchSettings& settings, uint16_t port) = nullptr;
  std::span<const std::string_view> takes;        ///< Members of LaunchSettings, by name.
  std::span<const std::string_view> environment;  ///< `NAME=value` beside what all engines get.
  /// A folder of libraries that stands beside the program; empty: the user's, if any.
  std::string (*libraries)() = nullptr;
  std::string_view key_variable;  ///< Of the environment: the key that requests have to bring.
  std::string_view health_path;   ///< Answers 200 once the model is loaded.
  bool sees_home = false;         ///< Whether it may use the home directory, for caches of drivers.
  LogTables log;
};

/// Every recipe. Adding one is a file and a line here.
std::span<const Recipe> recipe_table();
/// The one that a request is for: `llama-server` when it names a program, else `bundled`.
const Recipe& recipe_for(const std::string& program);

// The recipes, one file each.
Recipe llama_server_recipe();
Recipe bundled_recipe();

}  // namespace assay
