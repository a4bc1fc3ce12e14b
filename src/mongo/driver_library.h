#pragma once

namespace tidemark::mongo {

// libmongoc sets itself up while the program is loaded, before main. It then makes a segment of
// shared memory for its counters, /dev/shm/mongoc-PID, and warns on standard error when it cannot:
// in a container without /dev/shm, or when a killed process that had the same id left its segment
// behind. Nobody reads the counters.

// Lets the driver say nothing: its log could show a connection string; what matters comes back as
// an error. Needs nothing of the C++ runtime and may run before any constructor does. Any thread.
void SilenceDriver() noexcept;

// Takes the counters' segment of this process out of /dev/shm, so that it is gone however the
// process ends. It stays mapped: the driver goes on counting. To be called first in main; a second
// call does nothing. Any thread.
void UnlinkDriverCounters() noexcept;

}  // namespace tidemark::mongo
