#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

// Every setting of `tidemark serve`, in one table (options.cpp): parsing, help and
// docs/configuration.md come from it.
namespace tidemark::config {

enum class OptionType { kText, kInteger, kLogLevel, kSwitch };

struct Option {
  std::string_view
      name;  // flag --name, file key name, environment TIDEMARK_NAME (upper case, - becomes _)
  OptionType type;
  std::string_view default_value;  // as text
  std::int64_t minimum = 0;        // kInteger only
  std::int64_t maximum = 0;
  std::string_view unit;  // e.g. "MiB"; empty for a bare number or text
  std::string_view help;
};

// The table. Immutable.
std::span<const Option> Options();

// The values in effect. Immutable after loading.
class Settings {
 public:
  // REQUIRES: an option of that name and type.
  const std::string& Text(std::string_view name) const;
  std::int64_t Integer(std::string_view name) const;
  bool IsOn(std::string_view name) const;

 private:
  friend Settings LoadSettings(const struct SettingsSources& sources);
  std::map<std::string, std::string, std::less<>> values_;
};

// Where values come from; a later one wins over an earlier one: default, file, environment, flag.
struct SettingsSources {
  std::optional<std::string> file;  // path of a TOML file
  std::function<std::optional<std::string>(const std::string& variable)> environment;
  std::map<std::string, std::string, std::less<>> flags;
};

// Throws kInvalidArgument naming the option, where the value came from and what is allowed;
// kNotFound without the file.
Settings LoadSettings(const SettingsSources& sources);

// TIDEMARK_JOB_WORKERS of job-workers.
std::string EnvironmentName(std::string_view option);

// The text of docs/configuration.md.
std::string RenderReference();

}  // namespace tidemark::config
