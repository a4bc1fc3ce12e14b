#include "config/settings.h"

#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "base/file.h"
#include "base/random.h"

namespace tidemark::config {
namespace {

std::optional<std::string> NoEnvironment(const std::string&) {
  return std::nullopt;
}

std::string MessageOf(const SettingsSources& sources) {
  try {
    LoadSettings(sources);
  } catch (const Error& error) {
    return std::string(error.message());
  }
  return "no error";
}

class SettingsFileTest : public testing::Test {
 protected:
  SettingsFileTest() {
    SystemRandom random;
    path_ = std::filesystem::temp_directory_path() /
            ("settings_test-" + RandomHex(random, 8) + ".toml");
  }

  ~SettingsFileTest() override { std::filesystem::remove(path_); }

  void Write(std::string_view text) { WriteFileDurably(path_, AsBytes(text), 0600); }

  std::filesystem::path path_;
};

TEST(Settings, HaveTheDefaultsOfTheTable) {
  const Settings settings = LoadSettings({{}, NoEnvironment, {}});
  EXPECT_EQ(settings.Text("listen"), "127.0.0.1:8080");
  EXPECT_EQ(settings.Integer("job-workers"), 2);
}

TEST_F(SettingsFileTest, FlagWinsOverEnvironmentOverFile) {
  Write("job-workers = 3\ncall-threads = 4\nlog-level = \"warn\"\n");
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    return name == "TIDEMARK_JOB_WORKERS" || name == "TIDEMARK_CALL_THREADS"
               ? std::optional<std::string>("5")
               : std::nullopt;
  };
  const Settings settings = LoadSettings({path_.string(), environment, {{"job-workers", "6"}}});
  EXPECT_EQ(settings.Integer("job-workers"), 6);
  EXPECT_EQ(settings.Integer("call-threads"), 5);
  EXPECT_EQ(settings.Text("log-level"), "warn");
}

TEST(Settings, RefuseWhatIsOutOfRange) {
  EXPECT_EQ(MessageOf({{}, NoEnvironment, {{"job-workers", "0"}}}),
            "reading the setting job-workers from the flag --job-workers: \"0\" is not a whole "
            "number from 1 to 64");
  EXPECT_EQ(MessageOf({{}, NoEnvironment, {{"job-workers", "2x"}}}),
            "reading the setting job-workers from the flag --job-workers: \"2x\" is not a whole "
            "number from 1 to 64");
}

TEST_F(SettingsFileTest, SwitchIsAWordOrABoolean) {
  EXPECT_TRUE(LoadSettings({{}, NoEnvironment, {}}).IsOn("schedules"));
  EXPECT_FALSE(LoadSettings({{}, NoEnvironment, {{"schedules", "off"}}}).IsOn("schedules"));
  Write("schedules = false\n");
  EXPECT_FALSE(LoadSettings({path_.string(), NoEnvironment, {}}).IsOn("schedules"));
  EXPECT_EQ(MessageOf({{}, NoEnvironment, {{"schedules", "no"}}}),
            "reading the setting schedules from the flag --schedules: \"no\" is not on or off");
}

TEST_F(SettingsFileTest, UnknownKeyIsNamed) {
  Write("job-wrokers = 3\n");
  EXPECT_EQ(
      MessageOf({path_.string(), NoEnvironment, {}}),
      "reading the settings file " + path_.string() + ": there is no setting \"job-wrokers\"");
}

TEST(Settings, ReferenceIsTheDocument) {
  const Bytes document =
      ReadFile(std::filesystem::path(TIDEMARK_SOURCE_DIR) / "docs/configuration.md", 1U << 20);
  EXPECT_EQ(AsText(document), RenderReference());
}

}  // namespace
}  // namespace tidemark::config
