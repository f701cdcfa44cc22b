"""Cards (预警、黄牌、红牌): raised with sealed evidence, sent to who is on duty, answered, upheld or taken down."""
