#include "repo/internal/collection_plan.h"

#include <algorithm>

#include "repo/internal/byte_reader.h"

namespace tidemark::repo {
namespace {

constexpr std::size_t kMaxPrinted = 100;  // packs of a kind

// Of what chunks take in the pack: header and footer do not count, or a small pack would be
// rewritten for ever.
bool IsMostlyDead(const StoredPack& pack, int below_percent) {
  const std::uint64_t payload = pack.payload_end - kHeaderSize;
  return pack.live_bytes * 100 < payload * static_cast<std::uint64_t>(below_percent);
}

CollectionPlan::Pack Describe(const Inventory& inventory, const PackId& id) {
  const StoredPack& pack = inventory.packs.at(id);
  return {.id = HexEncode(id.bytes), .size = pack.size, .live = {pack.live_bytes}};
}

void FormatPacks(std::string& text,
                 const std::vector<CollectionPlan::Pack>& packs,
                 std::string_view action) {
  for (std::size_t i = 0; i < std::min(packs.size(), kMaxPrinted); ++i) {
    text += std::string(action) + " pack " + packs[i].id + "  " + FormatBytes(packs[i].size);
    if (packs[i].live.value != 0) {
      text += ", " + FormatBytes(packs[i].live) + " live";
    }
    text += "\n";
  }
  if (packs.size() > kMaxPrinted) {
    text +=
        std::string(action) + " " + std::to_string(packs.size() - kMaxPrinted) + " more packs\n";
  }
}

}  // namespace

PackPlan PlanPacks(const Inventory& inventory, const CollectionOptions& options) {
  PackPlan plan;
  for (const auto& [id, pack] : inventory.packs) {
    const bool named = pack.payload_end != 0;
    const bool may_get_named = !named && (inventory.sessions > 0 || !pack.listed_early);
    if (may_get_named) {
      ++plan.left;
    } else if (pack.live_bytes == 0) {
      plan.dead.push_back(id);
    } else if (IsMostlyDead(pack, options.rewrite_below_percent)) {
      plan.rewritten.push_back(id);
    } else {
      ++plan.kept;
    }
  }
  return plan;
}

SegmentPlan PlanSegments(const Inventory& inventory, const std::set<PackId>& gone) {
  SegmentPlan plan;
  const auto stays = [&](const PackId& pack) {
    return inventory.packs.contains(pack) && !gone.contains(pack);
  };
  for (const auto& [id, segment] : inventory.segments) {
    if (!segment.says_something || std::ranges::none_of(segment.packs, stays)) {
      plan.removed.push_back(id);
    } else if (!std::ranges::all_of(segment.packs, stays)) {
      plan.replaced.push_back(id);
    }
  }
  return plan;
}

CollectionPlan DescribePlan(const Inventory& inventory,
                            const PackPlan& packs,
                            const SegmentPlan& segments) {
  CollectionPlan plan;
  plan.kept_packs = packs.kept;
  plan.left_packs = packs.left;
  for (const PackId& id : packs.dead) {
    plan.deleted.push_back(Describe(inventory, id));
    plan.freed += plan.deleted.back().size;
  }
  for (const PackId& id : packs.rewritten) {
    plan.rewritten.push_back(Describe(inventory, id));
    plan.freed += plan.rewritten.back().size;
    plan.copied += plan.rewritten.back().live;
  }
  for (const SegmentId& id : segments.removed) {
    plan.removed_segments.push_back(HexEncode(id.bytes));
  }
  for (const SegmentId& id : segments.replaced) {
    plan.replaced_segments.push_back(HexEncode(id.bytes));
  }
  return plan;
}

std::string FormatPlan(const CollectionPlan& plan) {
  std::string text;
  FormatPacks(text, plan.deleted, "delete");
  FormatPacks(text, plan.rewritten, "rewrite");
  text += "packs: delete " + std::to_string(plan.deleted.size()) + ", rewrite " +
          std::to_string(plan.rewritten.size()) + ", keep " + std::to_string(plan.kept_packs) +
          "\n";
  text += "index segments: delete " + std::to_string(plan.removed_segments.size()) + ", replace " +
          std::to_string(plan.replaced_segments.size()) + "\n";
  text += "bytes: free " + FormatBytes(plan.freed) + ", copy " + FormatBytes(plan.copied) + "\n";
  if (plan.left_packs > 0) {
    text += "left alone: " + std::to_string(plan.left_packs) +
            " packs that a running snapshot may still name\n";
  }
  if (plan.waiting_for > 0) {
    text += "an earlier collection waits for " + std::to_string(plan.waiting_for) +
            " snapshots or restores that began before it\n";
  }
  return text;
}

}  // namespace tidemark::repo
