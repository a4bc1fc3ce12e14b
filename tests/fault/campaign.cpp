#include "tests/fault/campaign.h"

#include <algorithm>

#include <unistd.h>

namespace tidemark::fault {

std::filesystem::path ScratchFolder() {
  const std::filesystem::path memory = "/dev/shm";
  return access(memory.c_str(), W_OK) == 0 ? memory : std::filesystem::temp_directory_path();
}

void CampaignReport::Count(const std::string& what, std::uint64_t by) {
  const auto found =
      std::ranges::find(figures_, what, &std::pair<std::string, std::uint64_t>::first);
  if (found == figures_.end()) {
    figures_.emplace_back(what, by);
  } else {
    found->second += by;
  }
}

std::uint64_t CampaignReport::CountOf(const std::string& what) const {
  const auto found =
      std::ranges::find(figures_, what, &std::pair<std::string, std::uint64_t>::first);
  return found == figures_.end() ? 0 : found->second;
}

void CampaignReport::Violation(const std::string& text) {
  ++violations_;
  if (texts_.size() < kMaxKept) {
    texts_.push_back(text);
  }
}

std::string CampaignReport::Figures() const {
  std::string text;
  for (const auto& [what, count] : figures_) {
    text += what + "=" + std::to_string(count) + " ";
  }
  return text + "violations=" + std::to_string(violations_);
}

}  // namespace tidemark::fault
