package dev.iolite.kvm;

/** On this machine's own kernel, where it has KVM. */
class KvmHostTest extends KvmSuite {}
