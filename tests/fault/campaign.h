#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace tidemark::fault {

// What a campaign is asked for. The same seed does the same, but for moments that a kill chooses.
struct CampaignOptions {
  std::uint64_t count = 100;  // kills, variants or flips; each campaign says which
  std::uint64_t seed = 1;
  std::uint64_t stride = 1;  // of the places where something may fail one in so many is tried
  std::filesystem::path directory;  // scratch, below which it may make and remove anything
};

// Where campaigns work unless told otherwise: in memory where there is such a file system. What is
// durable is decided by models, not by a disk.
std::filesystem::path ScratchFolder();

// What came of it.
class CampaignReport {
 public:
  // Violations beyond so many are counted only.
  static constexpr std::size_t kMaxKept = 20;

  void Count(const std::string& what, std::uint64_t by = 1);
  std::uint64_t CountOf(const std::string& what) const;
  void Violation(const std::string& text);

  std::uint64_t violations() const { return violations_; }

  // "kills=1000 packs=310 ... violations=0", in the order of first use.
  std::string Figures() const;

  const std::vector<std::string>& texts() const { return texts_; }

 private:
  std::vector<std::pair<std::string, std::uint64_t>> figures_;
  std::uint64_t violations_ = 0;
  std::vector<std::string> texts_;
};

// Each blocks, writes below options.directory only, and throws when it could not do its work; what
// the product did wrong is a violation in the report. REQUIRES for the kills: no other thread runs.

// SIGKILL at random moments of ... `count` is the number of kills that hit.
CampaignReport KillSnapshots(const CampaignOptions& options);
CampaignReport KillCompactions(const CampaignOptions& options);
CampaignReport KillCollections(const CampaignOptions& options);
CampaignReport KillRestores(const CampaignOptions& options);

// The power fails after each prefix of the calls to the file system; what was not synced is lost,
// kept or torn in `count` ways (power_campaign.cpp).
CampaignReport LosePower(const CampaignOptions& options);

// Two snapshots and a collection at once, `count` times from one and the same state, without any
// fault: threads meet as they like.
CampaignReport RunAllAtOnce(const CampaignOptions& options);

// Every call to the file system fails once, in each way that it can. `count` is not used.
CampaignReport FailFiles(const CampaignOptions& options);

// Both of these for an export into a directory: every call fails once; the process dies at every
// call, or a sync fails, and it is done again; the power fails. `count` as for LosePower.
CampaignReport ExportToDisk(const CampaignOptions& options);

// Connections to source and target break at every message and at `count` random bytes.
CampaignReport FailSockets(const CampaignOptions& options);

// `count` bit flips over all kinds of objects; then deletions, truncations, exchanges and older
// versions.
CampaignReport DamageObjects(const CampaignOptions& options);

}  // namespace tidemark::fault
