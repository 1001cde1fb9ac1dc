DROP TABLE own_trust_marks;
DROP TABLE issued_trust_marks;
DROP TABLE federation_member_changes;
DROP TABLE federation_members;
DROP TABLE anchor_pins;
