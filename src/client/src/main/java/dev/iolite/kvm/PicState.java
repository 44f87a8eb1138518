package dev.iolite.kvm;

import dev.iolite.uapi.kvm.kvm_pic_state;
import java.lang.foreign.MemorySegment;

/**
 * A PIC's registers, 8 bits each.
 *
 * @param lastIrr the lines as they were, for edges
 * @param irr the interrupts that were requested
 * @param imr those that are masked
 * @param isr those in service
 * @param priorityAdd the interrupt with the highest priority
 * @param irqBase the vector of the first interrupt
 * @param readRegSelect whether a read returns the ISR instead of the IRR
 * @param poll whether a read polls
 * @param specialMask whether the special mask mode is on
 * @param initState how far the initialisation is, 0: done
 * @param autoEoi whether interrupts end by themselves
 * @param rotateOnAutoEoi whether priorities then rotate
 * @param specialFullyNestedMode whether that mode is on
 * @param init4 whether the initialisation has a fourth word
 * @param elcr the lines that are level-triggered
 * @param elcrMask those that may be
 */
public record PicState(
    int lastIrr,
    int irr,
    int imr,
    int isr,
    int priorityAdd,
    int irqBase,
    int readRegSelect,
    int poll,
    int specialMask,
    int initState,
    int autoEoi,
    int rotateOnAutoEoi,
    int specialFullyNestedMode,
    int init4,
    int elcr,
    int elcrMask) {

  static PicState of(MemorySegment pic) {
    return new PicState(
        Byte.toUnsignedInt(kvm_pic_state.last_irr(pic)),
        Byte.toUnsignedInt(kvm_pic_state.irr(pic)),
        Byte.toUnsignedInt(kvm_pic_state.imr(pic)),
        Byte.toUnsignedInt(kvm_pic_state.isr(pic)),
        Byte.toUnsignedInt(kvm_pic_state.priority_add(pic)),
        Byte.toUnsignedInt(kvm_pic_state.irq_base(pic)),
        Byte.toUnsignedInt(kvm_pic_state.read_reg_select(pic)),
        Byte.toUnsignedInt(kvm_pic_state.poll(pic)),
        Byte.toUnsignedInt(kvm_pic_state.special_mask(pic)),
        Byte.toUnsignedInt(kvm_pic_state.init_state(pic)),
        Byte.toUnsignedInt(kvm_pic_state.auto_eoi(pic)),
        Byte.toUnsignedInt(kvm_pic_state.rotate_on_auto_eoi(pic)),
        Byte.toUnsignedInt(kvm_pic_state.special_fully_nested_mode(pic)),
        Byte.toUnsignedInt(kvm_pic_state.init4(pic)),
        Byte.toUnsignedInt(kvm_pic_state.elcr(pic)),
        Byte.toUnsignedInt(kvm_pic_state.elcr_mask(pic)));
  }

  void store(MemorySegment pic) {
    kvm_pic_state.last_irr(pic, (byte) lastIrr);
    kvm_pic_state.irr(pic, (byte) irr);
    kvm_pic_state.imr(pic, (byte) imr);
    kvm_pic_state.isr(pic, (byte) isr);
    kvm_pic_state.priority_add(pic, (byte) priorityAdd);
    kvm_pic_state.irq_base(pic, (byte) irqBase);
    kvm_pic_state.read_reg_select(pic, (byte) readRegSelect);
    kvm_pic_state.poll(pic, (byte) poll);
    kvm_pic_state.special_mask(pic, (byte) specialMask);
    kvm_pic_state.init_state(pic, (byte) initState);
    kvm_pic_state.auto_eoi(pic, (byte) autoEoi);
    kvm_pic_state.rotate_on_auto_eoi(pic, (byte) rotateOnAutoEoi);
    kvm_pic_state.special_fully_nested_mode(pic, (byte) specialFullyNestedMode);
    kvm_pic_state.init4(pic, (byte) init4);
    kvm_pic_state.elcr(pic, (byte) elcr);
    kvm_pic_state.elcr_mask(pic, (byte) elcrMask);
  }
}
