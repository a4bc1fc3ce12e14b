#include "config/settings.h"

#include <algorithm>
#include <charconv>

#include <toml++/toml.h>

#include "base/error.h"

namespace tidemark::config {
namespace {

const Option* FindOption(std::string_view name) {
  const auto found = std::ranges::find(Options(), name, &Option::name);
  return found == Options().end() ? nullptr : &*found;
}

std::string Allowed(const Option& option) {
  switch (option.type) {
    case OptionType::kText:
      return "text";
    case OptionType::kInteger:
      return "a whole number from " + std::to_string(option.minimum) + " to " +
             std::to_string(option.maximum);
    case OptionType::kLogLevel:
      return "debug, info, warn or error";
    case OptionType::kSwitch:
      return "on or off";
  }
  return {};
}

bool Fits(const Option& option, const std::string& value) {
  if (option.type == OptionType::kLogLevel) {
    return value == "debug" || value == "info" || value == "warn" || value == "error";
  }
  if (option.type == OptionType::kSwitch) {
    return value == "on" || value == "off";
  }
  if (option.type == OptionType::kText) {
    return true;
  }
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  return error == std::errc() && end == value.data() + value.size() && number >= option.minimum &&
         number <= option.maximum;
}

void CheckValue(const Option& option, const std::string& value, std::string_view where) {
  if (!Fits(option, value)) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the setting " + std::string(option.name) + " from " + std::string(where) +
                    ": \"" + value + "\" is not " + Allowed(option));
  }
}

std::string TomlText(const toml::node& node) {
  if (const auto text = node.value_exact<std::string>()) {
    return *text;
  }
  if (const auto number = node.value_exact<std::int64_t>()) {
    return std::to_string(*number);
  }
  if (const auto flag = node.value_exact<bool>()) {
    return *flag ? "on" : "off";
  }
  return "(neither text nor a whole number)";
}

toml::table ParseFile(const std::string& path) {
  try {
    return toml::parse_file(path);
  } catch (const toml::parse_error& error) {
    throw Error(ErrorCode::kInvalidArgument,
                "reading the settings file " + path + ": " + std::string(error.description()),
                "docs/configuration.md shows its form");
  }
}

using Values = std::map<std::string, std::string, std::less<>>;

void ApplyFile(const std::string& path, Values& values) {
  for (const auto& [key, node] : ParseFile(path)) {
    const Option* option = FindOption(key.str());
    if (option == nullptr) {
      throw Error(ErrorCode::kInvalidArgument,
                  "reading the settings file " + path + ": there is no setting \"" +
                      std::string(key.str()) + "\"",
                  "docs/configuration.md lists all of them");
    }
    const std::string value = TomlText(node);
    CheckValue(*option, value, path);
    values[std::string(option->name)] = value;
  }
}

}  // namespace

std::string EnvironmentName(std::string_view option) {
  std::string name = "TIDEMARK_" + std::string(option);
  std::ranges::transform(name, name.begin(), [](unsigned char c) {
    return c == '-' ? '_' : static_cast<char>(std::toupper(c));
  });
  return name;
}

Settings LoadSettings(const SettingsSources& sources) {
  Settings settings;
  for (const Option& option : Options()) {
    settings.values_[std::string(option.name)] = option.default_value;
  }
  if (sources.file) {
    ApplyFile(*sources.file, settings.values_);
  }
  for (const Option& option : Options()) {
    const std::string variable = EnvironmentName(option.name);
    if (const auto value = sources.environment(variable)) {
      CheckValue(option, *value, "the environment variable " + variable);
      settings.values_[std::string(option.name)] = *value;
    }
    if (const auto flag = sources.flags.find(option.name); flag != sources.flags.end()) {
      CheckValue(option, flag->second, "the flag --" + std::string(option.name));
      settings.values_[std::string(option.name)] = flag->second;
    }
  }
  return settings;
}

const std::string& Settings::Text(std::string_view name) const {
  const auto found = values_.find(name);
  TIDEMARK_CHECK(found != values_.end());
  return found->second;
}

std::int64_t Settings::Integer(std::string_view name) const {
  const std::string& text = Text(name);
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  TIDEMARK_CHECK(error == std::errc() && end == text.data() + text.size());
  return number;
}

bool Settings::IsOn(std::string_view name) const {
  return Text(name) == "on";
}

// The numbers are those of src/service/memory_plan.cpp.
constexpr std::string_view kMemoryText = R"(
## Memory

`memory-budget-mib` is what the whole server may have resident. 64 MiB are for the program, the catalog and HTTP; a stream
has 12 MiB, and streams together at most a quarter of what is left; so has the download that is being measured; the jobs share
the rest evenly, whether they run or not. With the defaults on two cores the streams have 96 MiB and a job has 170 MiB:

| of a snapshot | MiB | of a restore | MiB |
|---|---|---|---|
| packs: one open, one for each encoder and one more on their way, 10.6 each | 42 | batches of 4, waiting and being written: 2 x (4 + 3) | 56 |
| encoders: queue, compression | 8 | their copies in the driver: 2 x 4 x 8 | 64 |
| readers: a reply of 4 MiB up to three times, and 4: 4 x 16 | 64 | reading the snapshot: 2 x 16 | 32 |
| sorting, where documents do not come in order of `_id` | 28 | | |
| merging what was sorted, and the keys of the snapshot before | 28 | | |

| of an export | MiB | of a push | MiB |
|---|---|---|---|
| lines of JSON of 4 MiB of BSON, up to three times as long | 12 | packed ahead | 8 |
| compression; members that wait | 16 | reading the snapshot | 4 |
| one part of an upload | 8 | on its way | 4 |
| reading the snapshot | 4 | | |

A restore of collections and a drill into a cluster are restores; a drill that only reads holds the 4 MiB of reading.

More memory goes to sorting and merging. With less, packs become smaller, then fewer collections are read and fewer writers
run at once; a budget that one reader and one writer of each job, or an export, do not fit into is refused at the start. Beside the budget
are 60 bytes for each chunk that a project has stored (0.25 GiB for 1 TiB in chunks of 256 KiB), one bit for each document of
a collection that is compared with the snapshot before in natural order, and documents of many MiB: a reader holds one four
times.
)";

std::string RenderReference() {
  std::string text =
      "# Settings of `tidemark serve`\n\n"
      "Made from the table in src/config/options.cpp; a test compares. A flag wins over the "
      "environment, the\n"
      "environment over the file (`--config FILE`, TOML: `job-workers = 4`), the file over the "
      "default.\n\n"
      "| setting | environment | default | allowed | meaning |\n|---|---|---|---|---|\n";
  for (const Option& option : Options()) {
    text +=
        "| `" + std::string(option.name) + "` | `" + EnvironmentName(option.name) + "` | " +
        (option.default_value.empty() ? "none" : "`" + std::string(option.default_value) + "`") +
        " | " + Allowed(option) + (option.unit.empty() ? "" : ", in " + std::string(option.unit)) +
        " | " + std::string(option.help) + " |\n";
  }
  return text + std::string(kMemoryText);
}

}  // namespace tidemark::config
