package dev.gyre.machine.assembler;

/**
 * The vector and tile instructions that kernels use, and their encoding (Intel 64 and IA-32 Architectures Software
 * Developer's Manual, volume 2). The prefix encodes the opcode map ({@code map}), the legacy prefix ({@code pp}) and an
 * opcode extension ({@code w}); the opcode follows.
 */
public enum Instruction {
    VMOVUPS(Form.LOAD, 0, 1, 0, 0x10, Prefix.BOTH),
    VMOVUPS_STORE(Form.STORE, 0, 1, 0, 0x11, Prefix.BOTH),
    VBROADCASTSS(Form.BROADCAST, 1, 2, 0, 0x18, Prefix.BOTH),
    VMOVSS_STORE(Form.STORE, 2, 1, 0, 0x11, Prefix.VEX),
    VMOVLPS_STORE(Form.STORE, 0, 1, 0, 0x13, Prefix.VEX),
    VMOVHPS_STORE(Form.STORE, 0, 1, 0, 0x17, Prefix.VEX),
    /** Stores the lanes whose sign bit is set in the second operand. */
    VMASKMOVPS(Form.THREE, 1, 2, 0, 0x2C, Prefix.VEX),
    VMASKMOVPS_STORE(Form.MASKED_STORE, 1, 2, 0, 0x2E, Prefix.VEX),
    /** Converts F16 to F32. */
    VCVTPH2PS(Form.LOAD, 1, 2, 0, 0x13, Prefix.VEX),
    /** Zero-extends 16-bit integers to 32 bits. */
    VPMOVZXWD(Form.LOAD, 1, 2, 0, 0x33, Prefix.VEX),
    VADDPS(Form.THREE, 0, 1, 0, 0x58, Prefix.BOTH),
    VSUBPS(Form.THREE, 0, 1, 0, 0x5C, Prefix.BOTH),
    VMULPS(Form.THREE, 0, 1, 0, 0x59, Prefix.BOTH),
    VDIVPS(Form.THREE, 0, 1, 0, 0x5E, Prefix.BOTH),
    VMINPS(Form.THREE, 0, 1, 0, 0x5D, Prefix.BOTH),
    VMAXPS(Form.THREE, 0, 1, 0, 0x5F, Prefix.BOTH),
    VXORPS(Form.THREE, 0, 1, 0, 0x57, Prefix.BOTH),
    VFMADD231PS(Form.THREE, 1, 2, 0, 0xB8, Prefix.BOTH),
    VFMADD213PS(Form.THREE, 1, 2, 0, 0xA8, Prefix.BOTH),
    VCVTTPS2DQ(Form.LOAD, 2, 1, 0, 0x5B, Prefix.BOTH),
    VPADDD(Form.THREE, 1, 1, 0, 0xFE, Prefix.BOTH),
    VPSLLD(Form.SHIFT, 1, 1, 0, 0x72, Prefix.BOTH),
    /** Interleaves the lower two lanes of both sources in each 128 bits. */
    VUNPCKLPS(Form.THREE, 0, 1, 0, 0x14, Prefix.BOTH),
    /** Interleaves the upper two lanes. */
    VUNPCKHPS(Form.THREE, 0, 1, 0, 0x15, Prefix.BOTH),
    /** Selects two lanes of each source in each 128 bits by an immediate. */
    VSHUFPS(Form.THREE, 0, 1, 0, 0xC6, Prefix.BOTH),
    /** The first source with one half replaced by 128 bits of memory. */
    VINSERTF128(Form.THREE, 1, 3, 0, 0x18, Prefix.VEX),
    /** Stores one half of a vector. */
    VEXTRACTF128(Form.STORE, 1, 3, 0, 0x19, Prefix.VEX),
    VPXORD(Form.THREE, 1, 1, 0, 0xEF, Prefix.EVEX),
    VRNDSCALEPS(Form.LOAD, 1, 3, 0, 0x08, Prefix.EVEX),
    VSCALEFPS(Form.THREE, 1, 2, 0, 0x2C, Prefix.EVEX),
    VPERMW(Form.THREE, 1, 2, 1, 0x8D, Prefix.EVEX),
    /** Selects lanes of the destination and the last source by the indices in the other source. */
    VPERMT2PS(Form.THREE, 1, 2, 0, 0x7F, Prefix.EVEX),
    /** Likewise, with lanes of 64 bits. */
    VPERMT2PD(Form.THREE, 1, 2, 1, 0x7F, Prefix.EVEX),
    /** Adds two products of bf16 elements to each lane. */
    VDPBF16PS(Form.THREE, 2, 2, 0, 0x52, Prefix.EVEX),
    /** Rounds two vectors of floats to one of bf16, to nearest even; the second source's elements come first. */
    VCVTNE2PS2BF16(Form.THREE, 3, 2, 0, 0x72, Prefix.EVEX),
    KMOVW(Form.MASK, 0, 1, 0, 0x92, Prefix.VEX),
    BZHI(Form.GENERAL, 0, 2, 0, 0xF5, Prefix.VEX),
    LDTILECFG(Form.MEMORY, 0, 2, 0, 0x49, Prefix.VEX),
    TILERELEASE(Form.NONE, 0, 2, 0, 0x49, Prefix.VEX),
    TILEZERO(Form.TILE, 3, 2, 0, 0x49, Prefix.VEX),
    TILELOADD(Form.LOAD, 3, 2, 0, 0x4B, Prefix.VEX),
    TILESTORED(Form.STORE, 2, 2, 0, 0x4B, Prefix.VEX),
    /** Adds the products of a row's and a column's bf16 elements to each element of a tile. */
    TDPBF16PS(Form.TILES, 2, 2, 0, 0x5C, Prefix.VEX);

    /** Which operand is encoded in which field. */
    enum Form {
        /** Destination, source. */
        LOAD,
        /** Destination in memory, source. */
        STORE,
        /** Destination in memory, mask, source. */
        MASKED_STORE,
        /** Destination, one element in memory. */
        BROADCAST,
        /** Destination, source, source. */
        THREE,
        /** Destination, source, immediate. */
        SHIFT,
        /** A mask from a general register. */
        MASK,
        /** General registers: destination, source, source. */
        GENERAL,
        MEMORY,
        NONE,
        /** One tile. */
        TILE,
        /** Three tiles, with the last two fields swapped. */
        TILES
    }

    /** VEX encodes 16 registers of 256 bits, EVEX 32 of 512 with masks; BOTH uses the shorter encoding that fits. */
    enum Prefix {
        VEX,
        EVEX,
        BOTH
    }

    final Form form;
    final int pp;
    final int map;
    final int w;
    final int opcode;
    final Prefix prefix;

    Instruction(Form form, int pp, int map, int w, int opcode, Prefix prefix) {
        this.form = form;
        this.pp = pp;
        this.map = map;
        this.w = w;
        this.opcode = opcode;
        this.prefix = prefix;
    }

    /** The name in assembler syntax. */
    public String mnemonic() {
        return name().replace("_STORE", "").toLowerCase();
    }
}
