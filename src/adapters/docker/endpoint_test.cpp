#include "adapters/docker/endpoint.hpp"

#include <gtest/gtest.h>

namespace slipway::docker {
namespace {

const EndpointPolicy kPolicy{
    {"/var/run/docker.sock"}, {"10.77.0.0/16", "fd00::/8"}, "/etc/slipway/credentials"};

TEST(Endpoint, opens_what_is_allowed) {
  EXPECT_EQ(resolve_endpoint("unix:///var/run/docker.sock", "", kPolicy)->unix_path, "/var/run/docker.sock");
  const auto plain = resolve_endpoint("tcp://10.77.2.2:2375", "", kPolicy);
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "10.77.2.2");
  EXPECT_EQ(plain->port, 2375);
  EXPECT_FALSE(plain->tls);
  EXPECT_EQ(resolve_endpoint("tcp://[fd00::2]:2375", "", kPolicy)->host, "fd00::2");
  const auto tls = resolve_endpoint("tcp://edge-9.plant:2376", "edge", kPolicy);
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->tls->ca, "/etc/slipway/credentials/edge/ca.pem");
  EXPECT_EQ(tls->tls->key, "/etc/slipway/credentials/edge/key.pem");
}

TEST(Endpoint, refuses_what_could_reach_something_else) {
  for (const auto* url : {"http://169.254.169.254",
                          "tcp://x:2375",
                          "tcp://169.254.169.254:80",
                          "file:///",
                          "unix:///etc",
                          "unix://etc",
                          "unix:///var/run/../run/docker.sock",
                          "ssh://-oProxyCommand=id",
                          "ssh://u;id@h",
                          "tcp://localhost:2375",
                          "tcp://127.0.0.1:2375",
                          "tcp://10.77.2.2",
                          "tcp://10.77.2.2:0",
                          "tcp://10.77.2.2:99999",
                          "tcp://10.77.2.2:23x",
                          "tcp://u@10.77.2.2:2375",
                          "tcp://10.77.2.2:2375/path",
                          "tcp://10.78.0.1:2375",
                          "tcp://010.77.2.2:2375",
                          "",
                          "10.77.2.2:2375",
                          "tcp://10.77.2.2.evil.example:2375",
                          "tcp://10.77.2.2\r\nX:2375"}) {
    const auto address = resolve_endpoint(url, "", kPolicy);
    ASSERT_FALSE(address) << url;
    EXPECT_EQ(address.error().code, "machine.url") << url;
    EXPECT_EQ(address.error().kind, ErrorKind::kInvalid) << url;
  }
}

TEST(Endpoint, takes_credentials_by_a_plain_name_only) {
  for (const auto* name : {"../edge", "a/b", "..", ".hidden", "a b"}) {
    EXPECT_EQ(resolve_endpoint("tcp://h:2376", name, kPolicy).error().code, "machine.credentials") << name;
  }
  EXPECT_FALSE(resolve_endpoint("unix:///var/run/docker.sock", "edge", kPolicy));
}

TEST(Endpoint, knows_what_lies_in_a_network) {
  EXPECT_TRUE(in_network("10.77.255.1", "10.77.0.0/16"));
  EXPECT_TRUE(in_network("192.168.1.130", "192.168.1.128/25"));
  EXPECT_FALSE(in_network("192.168.1.127", "192.168.1.128/25"));
  EXPECT_TRUE(in_network("10.0.0.1", "10.0.0.1"));
  EXPECT_FALSE(in_network("10.0.0.2", "10.0.0.1"));
  EXPECT_TRUE(in_network("1.2.3.4", "0.0.0.0/0"));
  EXPECT_FALSE(in_network("1.2.3.4", "0.0.0.0/33"));
  EXPECT_FALSE(in_network("1.2.3.4", "::/0"));
  EXPECT_FALSE(in_network("edge-1", "0.0.0.0/0"));
}

}  // namespace
}  // namespace slipway::docker
