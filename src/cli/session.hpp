#pragma once

#include <string>

#include "cli/cli.hpp"
#include "cli/exit_code.hpp"

namespace slipway::cli {

enum class Format { kTable, kWide, kJson, kYaml, kName };
enum class ProgressMode {
  kAuto,
  kTty,
  kPlain,
  kQuiet,
  kJson,  ///< standard error holds JSON lines alone (say_event)
};

/// One run: the world and the options that every command has.
struct Session {
  CliContext& world;
  std::string server;
  Format format = Format::kTable;
  ProgressMode progress = ProgressMode::kAuto;
  bool yes = false;
  bool colour = false;   ///< never the only sign of anything
  bool unicode = false;  ///< marks and bars beyond ASCII

  bool events() const { return progress == ProgressMode::kJson; }
  bool for_people() const { return format == Format::kTable || format == Format::kWide; }
};

}  // namespace slipway::cli
