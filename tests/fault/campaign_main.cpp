#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include <unistd.h>

#include "tests/fault/campaign.h"

namespace {

using tidemark::fault::CampaignOptions;
using tidemark::fault::CampaignReport;

constexpr const char* kUsage =
    "usage: tidemark-campaign NAME [--count N] [--seed N] [--stride N] [--dir SCRATCH]\n"
    "NAME: kill-snapshots kill-compactions kill-collections kill-restores all-at-once power files "
    "exports sockets damage\n"
    "Prints one line. Exit status 1: something was not as it has to be; 2: it could not be told.\n";

using Campaign = CampaignReport (*)(const CampaignOptions&);

const std::map<std::string, Campaign>& Campaigns() {
  static const std::map<std::string, Campaign> campaigns{
      {"kill-snapshots", tidemark::fault::KillSnapshots},
      {"kill-compactions", tidemark::fault::KillCompactions},
      {"kill-collections", tidemark::fault::KillCollections},
      {"kill-restores", tidemark::fault::KillRestores},
      {"all-at-once", tidemark::fault::RunAllAtOnce},
      {"power", tidemark::fault::LosePower},
      {"files", tidemark::fault::FailFiles},
      {"exports", tidemark::fault::ExportToDisk},
      {"sockets", tidemark::fault::FailSockets},
      {"damage", tidemark::fault::DamageObjects},
  };
  return campaigns;
}

struct Arguments {
  Campaign campaign = nullptr;
  CampaignOptions options;
};

// False when they are wrong.
bool Parse(const std::vector<std::string>& words, Arguments& arguments) {
  const auto campaign = words.empty() ? Campaigns().end() : Campaigns().find(words[0]);
  if (campaign == Campaigns().end() || words.size() % 2 == 0) {
    return false;
  }
  arguments.campaign = campaign->second;
  for (std::size_t i = 1; i + 1 < words.size(); i += 2) {
    if (words[i] == "--count") {
      arguments.options.count = std::strtoull(words[i + 1].c_str(), nullptr, 10);
    } else if (words[i] == "--seed") {
      arguments.options.seed = std::strtoull(words[i + 1].c_str(), nullptr, 10);
    } else if (words[i] == "--stride") {
      arguments.options.stride = std::strtoull(words[i + 1].c_str(), nullptr, 10);
    } else if (words[i] == "--dir") {
      arguments.options.directory = words[i + 1];
    } else {
      return false;
    }
  }
  return arguments.options.count > 0 && arguments.options.stride > 0;
}

int Run(const std::string& name, Arguments arguments) {
  namespace fs = std::filesystem;
  const fs::path above = arguments.options.directory.empty() ? tidemark::fault::ScratchFolder()
                                                             : arguments.options.directory;
  arguments.options.directory = above / ("tidemark-campaign-" + std::to_string(getpid()));
  fs::create_directories(arguments.options.directory);
  const CampaignReport report = arguments.campaign(arguments.options);
  std::printf("%s seed=%llu %s\n",
              name.c_str(),
              static_cast<unsigned long long>(arguments.options.seed),
              report.Figures().c_str());
  for (const std::string& text : report.texts()) {
    std::printf("  %s\n", text.c_str());
  }
  if (report.violations() > 0) {
    std::printf("  what is left: %s\n", arguments.options.directory.c_str());
    return 1;
  }
  fs::remove_all(arguments.options.directory);
  return 0;
}

}  // namespace

int main(int count, char** words) {
  Arguments arguments;
  if (!Parse({words + 1, words + count}, arguments)) {
    std::fprintf(stderr, "%s", kUsage);
    return 2;
  }
  try {
    return Run(words[1], arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "error: %s\n", error.what());
    return 2;
  }
}
