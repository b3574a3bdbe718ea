"""SMLDist's logits loss: learn from the teacher where it is right, from the label where it errs.

(arXiv 2107.07331: the smoothed conditional rule; the authors' code puts softmax upon softmax, which
is not followed here.)
"""

from __future__ import annotations

import tensorflow as tf

from tinyhar.distill.losses import kl_divergence, smoothed


def conditional_targets(
    teacher_logits: tf.Tensor, targets: tf.Tensor, temperature: float, smoothing: float
) -> tf.Tensor:
    """q [batch, classes] = softmax(z_t / tau) where the teacher is right, else the smoothed label.

    The smoothed label is (1 - e) onehot(h) + e / K. Mixed targets (mixup) count as their largest
    class when the teacher is judged, and stand in whole for the one-hot label (ours).

    Where two classes look alike the rule drives from the one that the teacher prefers: its answers
    are flat where that one is true, labels are sharp where the other is. The nearer e is to 1, the
    less. (To judge the teacher on windows as they were recorded, before augmentation, is no remedy:
    it made no difference in a cross-validation on `spsw`.)
    """
    right = tf.equal(tf.argmax(teacher_logits, axis=-1), tf.argmax(targets, axis=-1))
    soft = tf.nn.softmax(teacher_logits / temperature)
    return tf.where(right[:, None], soft, smoothed(targets, smoothing))


def conditional(
    teacher_logits: tf.Tensor,
    student_logits: tf.Tensor,
    targets: tf.Tensor,
    temperature: float,
    smoothing: float,
) -> tf.Tensor:
    """tau^2 KL(q || softmax(z_s / tau)), the mean over the batch; targets [batch, classes]."""
    q = conditional_targets(teacher_logits, targets, temperature, smoothing)
    log_q = tf.math.log(tf.maximum(q, 1e-12))  # an unsmoothed label has zeros
    return temperature**2 * kl_divergence(log_q, tf.nn.log_softmax(student_logits / temperature))
