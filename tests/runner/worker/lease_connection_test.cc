#include "runner/worker/lease_connection.h"

#include <gmock/gmock.h>

namespace assay::worker {
namespace {

using ::testing::ElementsAre;

TEST(LeaseConnectionTest, ListsOfCoordinatorsAreTakenApart) {
  EXPECT_THAT(AddressesOf("a.example:7070"), ElementsAre("a.example:7070"));
  EXPECT_THAT(AddressesOf("a.example:7070,b.example:7071"),
              ElementsAre("a.example:7070", "b.example:7071"));
  EXPECT_THAT(AddressesOf("ipv4:10.0.0.1:7070,10.0.0.2:7070,"),
              ElementsAre("10.0.0.1:7070", "10.0.0.2:7070"));
  EXPECT_THAT(AddressesOf("ipv6:[fd00::1]:7070,[fd00::2]:7070"),
              ElementsAre("[fd00::1]:7070", "[fd00::2]:7070"));
  // Names that have several addresses are gRPC's to look up.
  EXPECT_THAT(AddressesOf("dns:///assay.example:7070"),
              ElementsAre("dns:///assay.example:7070"));
  EXPECT_THAT(AddressesOf(","), ElementsAre(","));
}

}  // namespace
}  // namespace assay::worker
