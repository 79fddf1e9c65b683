#!/usr/bin/env python3
import io
import json
import tarfile
import unittest

import pack


class PackTest(unittest.TestCase):
    def test_ldd_gives_each_library_and_the_loader_once(self):
        text = """\tlinux-vdso.so.1 (0x00007ffd)
\tlibz.so.1 => /lib/x86_64-linux-gnu/libz.so.1 (0x00007f17)
\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f17)
\t/lib64/ld-linux-x86-64.so.2 (0x00007f17)
"""
        self.assertEqual(
            pack.parse_ldd(text),
            ["/lib/x86_64-linux-gnu/libc.so.6", "/lib/x86_64-linux-gnu/libz.so.1", "/lib64/ld-linux-x86-64.so.2"],
        )

    def test_a_missing_library_is_an_error(self):
        with self.assertRaises(SystemExit):
            pack.parse_ldd("\tlibrdkafka.so.1 => not found\n")

    def test_a_layer_has_its_parents_owners_and_no_times(self):
        layer = pack.make_layer({"a/b/file": (b"x", 0o755)}, {"spool": (65531, 0o700)})
        with tarfile.open(fileobj=io.BytesIO(layer)) as tar:
            entries = {entry.name: entry for entry in tar}
        self.assertEqual(list(entries), ["a", "a/b", "a/b/file", "spool"])
        self.assertEqual((entries["spool"].uid, entries["spool"].mode), (65531, 0o700))
        self.assertEqual((entries["a"].uid, entries["a"].mode), (0, 0o755))
        self.assertTrue(all(entry.mtime == 0 for entry in entries.values()))

    def test_the_same_content_gives_the_same_bytes_and_another_one_another_key(self):
        def make(content: bytes):
            layer = pack.make_layer({"f": (content, 0o644)}, {})
            key, config = pack.make_config(layer, "0.1.0", "amd64")
            return key, pack.make_archive(layer, config, f"slipway/agent:0.1.0-{key[:12]}")

        self.assertEqual(make(b"one"), make(b"one"))
        self.assertNotEqual(make(b"one")[0], make(b"two")[0])

    def test_the_archive_names_what_it_holds(self):
        layer = pack.make_layer({"f": (b"x", 0o644)}, {})
        key, config = pack.make_config(layer, "0.1.0", "amd64")
        archive = pack.make_archive(layer, config, "slipway/agent:0.1.0-abc")
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            (manifest,) = json.load(tar.extractfile("manifest.json"))
            stored = json.load(tar.extractfile(manifest["Config"]))
            self.assertEqual(tar.extractfile(manifest["Layers"][0]).read(), layer)
        self.assertEqual(manifest["RepoTags"], ["slipway/agent:0.1.0-abc"])
        self.assertEqual(stored["config"]["User"], "65531:65531")
        self.assertEqual(stored["config"]["Labels"], {"slipway.agent_version": "0.1.0", "slipway.image": key})
        self.assertEqual(stored["rootfs"]["diff_ids"], [f"sha256:{pack.sha256(layer)}"])


if __name__ == "__main__":
    unittest.main()
