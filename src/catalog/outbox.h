#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/notice.h"

namespace tidemark::catalog {

// Events, and notices of them on their way. The end of a snapshot or restore and the deletion of a
// snapshot become an event in their own transaction, whoever writes it (triggers), so none is lost.
// Synchronized; every call blocks briefly.
class Outbox {
 public:
  // Per channel. Beyond: a new notice is given up at once.
  static constexpr std::int64_t kMaxWaiting = 1000;
  // Per channel: so many notices are remembered once they are delivered or given up.
  static constexpr std::int64_t kMaxFinished = 100;
  // Per project.
  static constexpr std::int64_t kMaxChannels = 32;

  virtual ~Outbox() = default;

  // For events that are no change of the catalog. `number` is not read. Durable when it returns.
  virtual void AddEvent(const domain::Event& event) = 0;
  // Turns up to 100 of the oldest events into audit rows and into notices for the channels that
  // want them, in one transaction. Returns how many there were.
  virtual std::int64_t SettleEvents() = 0;

  // kResourceExhausted when the project has kMaxChannels; kNotFound when the project is deleted.
  virtual void AddChannel(const domain::Channel& channel) = 0;
  virtual std::optional<domain::Channel> FindChannel(const ProjectId& project,
                                                     const domain::ChannelId& id) = 0;
  // Oldest first.
  virtual std::vector<domain::Channel> ListChannels(const ProjectId& project) = 0;
  // With its notices. False: none.
  virtual bool RemoveChannel(const ProjectId& project, const domain::ChannelId& id) = 0;

  struct NoticeCounts {
    std::int64_t waiting = 0;
    std::int64_t given_up = 0;  // of the last kMaxFinished
  };

  virtual NoticeCounts CountNotices(const domain::ChannelId& id) = 0;

  struct DueNotice {
    domain::Notice notice;
    domain::Channel channel;
  };

  // The oldest waiting notice of the channel that has been due longest; nullopt when none is.
  virtual std::optional<DueNotice> FindDueNotice(Instant now) = 0;
  // Each is without effect when the channel has been removed meanwhile.
  virtual void MarkDelivered(const domain::Notice& notice, Instant now) = 0;
  // The channel is not tried before `next_try`.
  virtual void MarkFailed(const domain::Notice& notice,
                          std::string_view error,
                          Instant next_try) = 0;
  // After a last failure, or when it has waited too long; an audit row says so. The channel's other
  // notices go on at `next_try`.
  virtual void GiveUp(const domain::Notice& notice,
                      std::string_view error,
                      Instant now,
                      Instant next_try) = 0;
};

}  // namespace tidemark::catalog
